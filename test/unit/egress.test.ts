import { describe, expect, test } from '@jest/globals';
import { createEgress } from '../../functions/adapters/egress.ts';

const egress = createEgress(['https://127.0.0.2:8443', 'https://10.1.2.3/with/a/path', 'https://portal.example']);

describe('egress', () => {
  test.each([
    'https://example.com',
    'https://example.com:8443/path',
    'https://8.8.8.8',
    'https://172.32.0.1',
    'https://[2606:4700::1111]',
    'https://[::ffff:8.8.8.8]',
    'https://127.0.0.2:8443/path',
    'https://10.1.2.3',
  ])('lets %s pass', (url) => expect(egress.allowsUrl(new URL(url))).toBe(true));

  test.each([
    ['plain HTTP', 'http://example.com'],
    ['a user', 'https://user@example.com'],
    ['a user and a password', 'https://user:pass@example.com'],
    ['loopback', 'https://127.0.0.1'],
    ['loopback in decimal', 'https://2130706433'],
    ['loopback in octal', 'https://0177.0.0.1'],
    ['loopback in hexadecimal', 'https://0x7f.0.0.1'],
    ['loopback in short', 'https://127.1'],
    ['loopback in IPv6', 'https://[::1]'],
    ['loopback mapped into IPv6', 'https://[::ffff:127.0.0.1]'],
    ['loopback in a compatible IPv6 address', 'https://[::127.0.0.1]'],
    ['loopback translated by NAT64', 'https://[64:ff9b::127.0.0.1]'],
    ['loopback in 6to4', 'https://[2002:7f00:1::]'],
    ['another port of a named origin', 'https://127.0.0.2:8444'],
    ['the mapped form of a named origin', 'https://[::ffff:127.0.0.2]:8443'],
    ['a private network', 'https://10.0.0.1'],
    ['another private network', 'https://172.31.255.255'],
    ['a third private network', 'https://192.168.1.1'],
    ['a private IPv6 network', 'https://[fd12:3456::1]'],
    ['carrier-grade NAT', 'https://100.64.0.1'],
    ['the metadata service', 'https://169.254.169.254'],
    ['the metadata service mapped into IPv6', 'https://[::ffff:169.254.169.254]'],
    ['the metadata service in IPv6', 'https://[fd00:ec2::254]'],
    ['the credentials of a container', 'https://169.254.170.2'],
    ['a link-local IPv6 address', 'https://[fe80::1]'],
    ['no address', 'https://0.0.0.0'],
    ['no IPv6 address', 'https://[::]'],
    ['broadcast', 'https://255.255.255.255'],
    ['multicast', 'https://224.0.0.1'],
  ])('stops %s', (_, url) => expect(egress.allowsUrl(new URL(url))).toBe(false));

  test.each(['169.254.169.254', 'fd00:ec2::254', 'fe80::1'])('stops %s also where the configuration names it', (host) => {
    const url = new URL(host.includes(':') ? `https://[${host}]` : `https://${host}`);
    expect(createEgress([url.origin]).allowsUrl(url)).toBe(false);
  });

  test('one private address among public ones refuses a name', () => {
    const [good, bad] = [
      { address: '8.8.8.8', family: 4 },
      { address: '10.0.0.1', family: 4 },
    ];
    expect(egress.allowsAddresses('https://example.com', [good])).toBe(true);
    expect(egress.allowsAddresses('https://example.com', [good, bad])).toBe(false);
    expect(egress.allowsAddresses('https://portal.example', [good, bad])).toBe(true);
  });

  test('a name without an address, and an address with a zone, are refused', () => {
    expect(egress.allowsAddresses('https://example.com', [])).toBe(false);
    expect(egress.allowsAddresses('https://portal.example', [{ address: 'fd12::1%eth0', family: 6 }])).toBe(false);
    expect(egress.allowsAddresses('https://portal.example', [{ address: 'no address', family: 4 }])).toBe(false);
  });
});

import { isIP } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { createEgress } from '../../functions/adapters/egress.ts';

/** What it is, its first and its last address, and those around it that are not closed in the same way. */
type Range = readonly [what: string, first: string, last: string, around: readonly string[]];

/** What nobody may call, whatever the configuration names. */
const closed: readonly Range[] = [
  ['this network', '0.0.0.0', '0.255.255.255', ['1.0.0.0']],
  ['link-local addresses', '169.254.0.0', '169.254.255.255', ['169.253.255.255', '169.255.0.0']],
  ['the relays of 6to4', '192.88.99.0', '192.88.99.255', ['192.88.98.255', '192.88.100.0']],
  ['multicast and reserved addresses', '224.0.0.0', '255.255.255.255', ['223.255.255.255']],
  ['no address', '::', '::', ['::1']],
  ['link-local IPv6', 'fe80::', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'fec0::']],
  ['IPv6 multicast', 'ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff']],
  [
    'metadata services in IPv6',
    'fd00:ec2::',
    'fd00:ec2:ffff:ffff:ffff:ffff:ffff:ffff',
    ['fd00:ec1:ffff:ffff:ffff:ffff:ffff:ffff', 'fd00:ec3::'],
  ],
  ['NAT64', '64:ff9b::', '64:ff9b::ffff:ffff', ['64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff', '64:ff9b::1:0:0']],
  ["NAT64 of a network's own", '64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff', ['64:ff9b:0:ffff:ffff:ffff:ffff:ffff', '64:ff9b:2::']],
  ['6to4', '2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2003::']],
  ['Teredo', '2001::', '2001:0:ffff:ffff:ffff:ffff:ffff:ffff', ['2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2001:1::']],
  ['discarded IPv6', '100::', '100::ffff:ffff:ffff:ffff', ['ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '100:0:0:1::']],
  ['IPv4 in an IPv6 address', '::2', '::ffff:ffff', ['::1:0:0']],
];

/** What only an origin may have that the configuration names. */
const inside: readonly Range[] = [
  ['a private network', '10.0.0.0', '10.255.255.255', ['9.255.255.255', '11.0.0.0']],
  ['carrier-grade NAT', '100.64.0.0', '100.127.255.255', ['100.63.255.255', '100.128.0.0']],
  ['loopback', '127.0.0.0', '127.255.255.255', ['126.255.255.255', '128.0.0.0']],
  ['another private network', '172.16.0.0', '172.31.255.255', ['172.15.255.255', '172.32.0.0']],
  ['protocol assignments', '192.0.0.0', '192.0.0.255', ['191.255.255.255', '192.0.1.0']],
  ['a third private network', '192.168.0.0', '192.168.255.255', ['192.167.255.255', '192.169.0.0']],
  ['benchmarks', '198.18.0.0', '198.19.255.255', ['198.17.255.255', '198.20.0.0']],
  ['loopback in IPv6', '::1', '::1', []],
  ['private IPv6', 'fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'fe00::']],
  ['site-local IPv6', 'fec0::', 'feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', []],
];

const egress = createEgress(['https://127.0.0.2:8443', 'https://10.1.2.3/with/a/path', 'https://portal.example']);

function opens(origin: string, ...addresses: readonly string[]): boolean[] {
  return addresses.map((address) => egress.allowsAddresses(origin, [{ address, family: isIP(address) }]));
}

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

  test.each(closed)('stops a name from the first to the last address of %s (%s to %s)', (_what, first, last) => {
    expect(opens('https://example.com', first, last)).toEqual([false, false]);
    expect(opens('https://portal.example', first, last)).toEqual([false, false]);
  });

  test.each(inside)('lets the named origins alone have the first to the last address of %s (%s to %s)', (_what, first, last) => {
    expect(opens('https://example.com', first, last)).toEqual([false, false]);
    expect(opens('https://portal.example', first, last)).toEqual([true, true]);
  });

  test.each(closed)('stops nothing around %s (%s to %s) for a named origin', (_what, _first, _last, around) => {
    expect(opens('https://portal.example', ...around)).toEqual(around.map(() => true));
  });

  test.each(inside)('stops nothing around %s (%s to %s) for anybody', (_what, _first, _last, around) => {
    expect(opens('https://example.com', ...around)).toEqual(around.map(() => true));
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

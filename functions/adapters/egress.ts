import { BlockList, isIP } from 'node:net';

/** One resolved address. */
export interface ResolvedAddress {
  address: string;
  family: number;
}

/** Link-local, metadata services, multicast, reserved, and IPv6 forms that carry an IPv4 address past the check. */
const NEVER = [
  '0.0.0.0/8',
  '169.254.0.0/16',
  '192.88.99.0/24',
  '224.0.0.0/3',
  '::/128',
  'fe80::/10',
  'ff00::/8',
  'fd00:ec2::/32',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2002::/16',
  '2001::/32',
  '100::/64',
];

/** Loopback, private networks and carrier-grade NAT: for origins that the configuration names. */
const PRIVATE = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '::1/128',
  'fc00::/7',
  'fec0::/10',
];

/** IPv4-compatible addresses (`::a.b.c.d`), deprecated and refused; `::1` is judged before. */
const COMPATIBLE = ['::/96'];

/**
 * Decides which addresses a provider may have. Any address that is not public needs its origin in `privateOrigins`; link-local
 * and metadata addresses are refused always.
 *
 * @param privateOrigins origins (`https://host:port`) that may live on private or loopback addresses
 */
export function createEgress(privateOrigins: readonly string[]) {
  const never = blockList(NEVER);
  const inside = blockList(PRIVATE);
  const compatible = blockList(COMPATIBLE);
  const mayBeInside = new Set(privateOrigins.map((origin) => new URL(origin).origin));

  function allowsAddress(origin: string, address: string): boolean {
    // A zone (`fe80::1%eth0`) exists on link-local addresses only.
    const version = isIP(address);
    if (version === 0 || address.includes('%')) return false;
    const family = version === 6 ? 'ipv6' : 'ipv4';
    if (never.check(address, family)) return false;
    if (inside.check(address, family)) return mayBeInside.has(origin);
    return !compatible.check(address, family);
  }

  return {
    /**
     * A URL before anything is resolved: https, no user, and if its host is an address, an allowed one. `URL` has already
     * turned decimal, octal and short forms into dotted ones; Node's `lookup` hook is never called for literals.
     */
    allowsUrl(url: URL): boolean {
      if (url.protocol !== 'https:' || url.username !== '' || url.password !== '') return false;
      const host = url.hostname.replace(/^\[|\]$/g, '');
      return isIP(host) === 0 || allowsAddress(url.origin, host);
    },
    /** Every address that a name resolved to; one bad address among good ones refuses them all. */
    allowsAddresses(origin: string, addresses: readonly ResolvedAddress[]): boolean {
      return addresses.length > 0 && addresses.every(({ address }) => allowsAddress(origin, address));
    },
  };
}

export type Egress = ReturnType<typeof createEgress>;

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    list.addSubnet(address, Number(prefix), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { listen } from '../../infra/local/listen.ts';

// A JWT issuer as a process of its own. It prints its origin, serves its metadata and its key, and mints any token that it is
// asked for: POST /token with the claims as JSON. RS256, because API Gateway takes no other kind of signature.
const { publicKey, privateKey } = await generateKeyPair('RS256');
const jwk = { ...(await exportJWK(publicKey)), kid: 'e2e', use: 'sig', alg: 'RS256' };

const server = createServer((request, response) => {
  answer(request.url ?? '/', request).then(
    (body) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    () => response.writeHead(404).end(),
  );
});
const origin = `http://127.0.0.1:${await listen(server)}`;
process.stdout.write(`${origin}\n`);

async function answer(path: string, body: AsyncIterable<Buffer>): Promise<unknown> {
  if (path === '/.well-known/openid-configuration') return { issuer: origin, jwks_uri: `${origin}/jwks.json` };
  if (path === '/jwks.json') return { keys: [jwk] };
  if (path !== '/token') throw new Error('no such path');
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const claims = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
  const token = new SignJWT({ iss: origin, ...claims }).setProtectedHeader({ alg: 'RS256', kid: 'e2e' });
  return { token: await token.setIssuedAt().setExpirationTime('1h').sign(privateKey) };
}

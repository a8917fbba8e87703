import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { viewLines } from '../../infra/local/log-view.ts';
import { startLocalStack } from '../../infra/local/stack.ts';
import type { LocalStack } from '../../infra/local/stack.ts';
import { startConsoleProxy, type ConsoleProxy } from '../../infra/console/proxy.ts';
import { region } from '../../infra/local/aws/protocol.ts';
import { inPage } from './in-page.ts';

// The console as an operator uses it, in Debian's Chromium. Screenshots are written below .cache/console/, to be looked at.

jest.setTimeout(60_000);

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const pictures = path.join(import.meta.dirname, '..', '..', '.cache', 'console');
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
const quiet = ['--disable-component-update', '--disable-sync'];

let stack: LocalStack;
let showLines: () => void;
let browser: Browser;
let page: Page;
const complaints: string[] = [];
const asked: string[] = [];
/** every access token that the service gave out; none may be on the page */
const tokens = new Set<string>();

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  showLines = viewLines(() => undefined);
  stack = await startLocalStack({ lifeSeconds: 300 });
  browser = await chromium.launch({ executablePath, headless: true, args: [...flags, ...quiet] });
  page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  page.setDefaultTimeout(10_000);
  page.on('console', (message) => {
    // A 401 is how the page finds out that it must ask who is there.
    if (message.type() === 'error' && !message.text().includes('401')) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => asked.push(new URL(request.url()).origin));
  page.on('response', (response) => {
    if (!response.url().includes('/v1/tokens/') || !response.ok() || response.status() === 204) return;
    void response.json().then((body: { access_token?: string }) => tokens.add(body.access_token ?? ''));
  });
});

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
  showLines?.();
});

const card = (account: string) => page.getByRole('article', { name: account, exact: true });
const button = (account: string, action: string) => card(account).getByRole('button', { name: action });
const picture = (name: string) => page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });

/** An account as the interface answers it, without token sets. */
function anAccount(account: string) {
  return { provider: 'vidizmo', account, state: 'well', proven: true, refused_logins: 0, token_sets: [] };
}

/** @returns what the card says came of the last action, once that is what is waited for */
async function outcome(account: string, words: RegExp): Promise<string | null> {
  const said = card(account).getByRole('status').filter({ hasText: words });
  await said.waitFor();
  return said.textContent();
}

describe('the console', () => {
  test('asks who is there, and takes the credential from the keyboard alone', async () => {
    await page.goto(`${stack.url}/console`);
    const field = page.getByLabel('Credential');
    await field.waitFor();
    expect(await page.evaluate(inPage.focused)).toBe('credential');
    await picture('1-sign-in');
    await page.keyboard.type('no.such.jwt');
    await page.keyboard.press('Enter');
    await page.getByText('That credential was not accepted').waitFor();
    await field.fill(stack.callers.developer.jwt);
    await page.keyboard.press('Enter');
    await page.getByText('4 accounts: 4 well').waitFor();
    expect(await field.isHidden()).toBe(true);
  });

  test('keeps the credential nowhere', async () => {
    const kept = await page.evaluate<string>(inPage.everythingKept);
    expect(kept).not.toContain(stack.callers.developer.jwt);
    expect(await page.content()).not.toContain(stack.callers.developer.jwt);
  });

  test('tries a vend and tells of it without the token', async () => {
    await button('vidizmo/main', 'Try a vend').click();
    expect(
      await outcome(
        'vidizmo/main',
        /^Vended a token that expires in \d+ (s|min); fingerprint [\w-]{43}\. The token itself is not shown\.$/,
      ),
    ).not.toContain('undefined');
    await card('vidizmo/main')
      .getByRole('img', { name: /^Life of the token: .* left$/ })
      .waitFor();
    await button('movingimage/main', 'Try a vend').click();
    expect(await outcome('movingimage/main', /^Vended/)).not.toContain('undefined');
    await button('amino/main', 'Try a vend').click();
    expect(await outcome('amino/main', /^Vended/)).not.toContain('undefined');
    await picture('2-vended');
  });

  test('resets an account', async () => {
    await button('vidizmo/main', 'Reset').click();
    expect(await outcome('vidizmo/main', /^Reset:/)).not.toContain('undefined');
  });

  test('asks before it revokes, with the harmless answer in focus, and Escape means no', async () => {
    const before = stack.simulators?.byProvider.vidizmo.counters.revocations;
    await button('vidizmo/main', 'Revoke').click();
    const dialog = page.getByRole('dialog', { name: 'Revoke this token?' });
    await dialog.waitFor();
    expect(await page.evaluate(inPage.focusedText)).toBe('Keep it');
    await picture('3-sure');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(stack.simulators?.byProvider.vidizmo.counters.revocations).toBe(before);
    await button('vidizmo/main', 'Revoke').click();
    await page.getByRole('button', { name: 'Revoke it' }).click();
    expect(await outcome('vidizmo/main', /^Revoked/)).not.toContain('undefined');
    expect(stack.simulators?.byProvider.vidizmo.counters.revocations).toBe((before ?? 0) + 1);
  });

  test('shows what a provider refused, in words', async () => {
    const { 'movingimage-vms': simulator } = stack.simulators?.byProvider ?? {};
    if (simulator !== undefined) simulator.control.fault = { answer: 'status', status: 429, retryAfter: '77', times: 1 };
    await button('movingimage-vms/main', 'Try a vend').click();
    expect(await outcome('movingimage-vms/main', /\(backing_off\)/)).not.toContain('undefined');
    await card('movingimage-vms/main').getByText('backing off', { exact: true }).waitFor();
    await picture('4-backing-off');
  });

  test('keeps what somebody typed, and where they are, while it follows', async () => {
    await card('amino/main').getByText('Token parameters').click();
    const field = card('amino/main').getByRole('textbox');
    await field.fill('login_user_profile=made-up');
    await page.getByRole('button', { name: 'Refresh' }).click();
    await field.focus();
    await page.waitForResponse((response) => response.url().endsWith('/v1/accounts'), { timeout: 15_000 });
    expect(await field.inputValue()).toBe('login_user_profile=made-up');
    expect(await page.evaluate(inPage.focused)).toBe('TEXTAREA');
    await field.fill('no such parameter');
    await button('amino/main', 'Try a vend').click();
    expect(await outcome('amino/main', /\(bad_request\)/)).not.toContain('undefined');
  });

  test('is usable on a narrow and on a dark screen', async () => {
    await page.setViewportSize({ width: 360, height: 800 });
    const overflow = await page.evaluate(inPage.overflow);
    expect(overflow).toBe(0);
    await picture('5-narrow');
    await page.setViewportSize({ width: 1200, height: 900 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture('6-dark');
    await page.emulateMedia({ colorScheme: 'light' });
  });

  for (const scheme of ['light', 'dark'] as const) {
    test(`has text of enough contrast, ${scheme}`, async () => {
      await page.emulateMedia({ colorScheme: scheme });
      const poor = await page.evaluate(inPage.poorContrasts);
      expect(poor).toEqual([]);
      await page.emulateMedia({ colorScheme: 'light' });
    });
  }

  test('names every control, and gives each a place in the order of the keyboard', async () => {
    const unnamed = await page.evaluate(inPage.unnamedControls);
    expect(unnamed).toEqual([]);
  });

  test('forgets the credential and what it showed', async () => {
    await page.getByRole('button', { name: 'Forget the credential' }).click();
    await page.getByLabel('Credential').waitFor();
    expect(await page.getByRole('article').count()).toBe(0);
  });

  test('shows nothing to who left, when an answer comes late', async () => {
    const other = await browser.newPage();
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    let answers = 0;
    await other.route('**/v1/accounts*', async (route) => {
      const isKnown = route.request().headers()['authorization'] !== undefined;
      if (!isKnown) return route.fulfill({ status: 401, json: { message: 'Unauthorized' } });
      if (++answers > 1) await left;
      return route.fulfill({ json: { accounts: [anAccount('main')] } });
    });
    await other.goto(`${stack.url}/console`);
    await other.getByLabel('Credential').fill('somebody');
    await other.keyboard.press('Enter');
    await other.getByText('1 account: 1 well').waitFor();
    const late = other.waitForEvent('requestfinished', (asked) => asked.headers()['authorization'] !== undefined);
    await other.getByRole('button', { name: 'Refresh' }).click();
    await other.getByRole('button', { name: 'Forget the credential' }).click();
    await other.getByText('Not signed in.').waitFor();
    leave();
    await late;
    await other.evaluate(inPage.settled);
    expect([await other.getByRole('article').count(), await other.getByLabel('Credential').isVisible()]).toEqual([0, true]);
    await other.close();
  });

  test('shows more accounts than one page has where somebody asks for them', async () => {
    const other = await browser.newPage();
    const first = Array.from({ length: 100 }, (_none, index) => anAccount(`a-${index}`));
    await other.route('**/v1/accounts*', (route) => {
      const after = new URL(route.request().url()).searchParams.get('after');
      return route.fulfill({ json: after === null ? { accounts: first, next: 'vidizmo/a-99' } : { accounts: [anAccount(`b-${after}`)] } });
    });
    await other.goto(`${stack.url}/console`);
    await other.getByText('100 accounts, and there are more: 100 well').waitFor();
    await other.getByRole('button', { name: 'Show more accounts' }).click();
    await other.getByText('101 accounts: 101 well').waitFor();
    expect(await other.getByRole('article').count()).toBe(101);
    expect(await other.getByRole('article', { name: 'vidizmo/b-vidizmo/a-99' }).count()).toBe(1);
    expect(await other.getByRole('button', { name: 'Show more accounts' }).isHidden()).toBe(true);
    await other.close();
  });

  test('never held a token, asked nobody but its own origin, and broke no policy', async () => {
    const content = await page.content();
    expect(tokens.size).toBeGreaterThanOrEqual(3);
    expect([...tokens].filter((token) => content.includes(token))).toEqual([]);
    expect([...new Set(asked)]).toEqual([stack.url]);
    expect(complaints.filter((text) => !/status of (400|403|503)/.test(text))).toEqual([]);
  });
});

describe('the console of a deployment with IAM callers', () => {
  let proxy: ConsoleProxy;

  beforeAll(async () => {
    await stack.stop();
    stack = await startLocalStack({ lifeSeconds: 300, callers: 'iam' });
    const { accessKeyId, secretAccessKey } = stack.callers.developer;
    proxy = await startConsoleProxy({ url: stack.url, region, credentials: { accessKeyId, secretAccessKey }, port: 0 });
  });
  afterAll(() => proxy.close());

  test('tells who opens it at the API itself where to go', async () => {
    await page.goto(`${stack.url}/console`);
    await page.getByText('npm run console -- --stage NAME').waitFor();
    expect(await page.getByRole('article').count()).toBe(0);
  });

  test('is opened with the key that was printed, and no token reaches the browser', async () => {
    await page.goto(proxy.url);
    await page.getByLabel('Credential').fill(proxy.key);
    await page.keyboard.press('Enter');
    await page.getByText('4 accounts: 4 well').waitFor();
    const answered = page.waitForResponse((response) => response.url().endsWith('/v1/tokens/vidizmo/main'));
    await button('vidizmo/main', 'Try a vend').click();
    expect(await outcome('vidizmo/main', /^Vended/)).toContain('fingerprint');
    expect(await (await answered).json()).not.toHaveProperty('access_token');
  });
});

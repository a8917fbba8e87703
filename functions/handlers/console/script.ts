/**
 * What the page does. Plain JavaScript for browsers, held to its behaviour by `test/console/`.
 *
 * No token ever reaches the page's variables: `read` drops `access_token` while it parses. Everything is written as text, never as
 * markup; cards are updated in place, so that focus and what somebody typed stay where they are.
 */
export const script = String.raw`
'use strict';
(() => {
  const REFRESH_MS = 10000;
  const WORDS = {
    well: ['well', 'good'], backing_off: ['backing off', 'warn'], refused: ['refused', 'bad'],
    needs_consent: ['needs consent', 'bad'], misconfigured: ['misconfigured', 'bad'], gone: ['gone', 'bad'],
  };
  const find = (id) => document.getElementById(id);
  const cards = new Map();
  let credential = '';
  let accounts = [];
  // How many pages of accounts somebody wants to see.
  let pages = 1;
  // Counts who signed in or out: an answer to whoever was here before is nobody's any more.
  let visitor = 0;

  // ---- the interface

  async function call(method, path, body) {
    const headers = { accept: 'application/json' };
    if (credential !== '') headers.authorization = 'Bearer ' + credential;
    if (body !== undefined) headers['content-type'] = 'application/json';
    const options = { method, headers, cache: 'no-store', credentials: 'omit', redirect: 'error' };
    if (body !== undefined) options.body = JSON.stringify(body);
    try {
      const answer = await fetch(path, options);
      return { status: answer.status, ok: answer.ok, value: read(await answer.text()) };
    } catch {
      return { status: 0, ok: false, value: { title: 'The service does not answer' } };
    }
  }

  function read(text) {
    try {
      return JSON.parse(text, (name, value) => (name === 'access_token' ? undefined : value)) ?? {};
    } catch {
      return {};
    }
  }

  function complaint(answer) {
    const { title, message, detail, code, provider_error: theirs, retry_after: wait } = answer.value;
    return [
      (title ?? message ?? 'HTTP ' + answer.status) + (code ? ' (' + code + ')' : '') + (detail ? ':' : '.'),
      detail,
      theirs && 'The provider says ' + theirs + '.',
      wait && 'Try again in ' + wait + ' s.',
    ].filter(Boolean).join(' ');
  }

  // ---- words

  function span(ms) {
    const seconds = Math.round(Math.abs(ms) / 1000);
    if (seconds < 120) return seconds + ' s';
    if (seconds < 7200) return Math.round(seconds / 60) + ' min';
    return seconds < 172800 ? Math.round(seconds / 3600) + ' h' : Math.round(seconds / 86400) + ' days';
  }

  function relative(time) {
    const left = Date.parse(time) - Date.now();
    return left >= 0 ? 'in ' + span(left) : span(left) + ' ago';
  }

  function moment(time) {
    const element = document.createElement('time');
    element.dateTime = time;
    element.title = time;
    element.textContent = relative(time);
    return element;
  }

  function failureParts(failure) {
    const words = failure.code.replaceAll('_', ' ')
      + (failure.provider_error ? ' (the provider says ' + failure.provider_error + ')' : '')
      + (failure.field ? ': ' + failure.field + ' ' + (failure.rule ?? 'breaks a rule') : '') + ', ';
    return ['failed last: ' + words, moment(failure.at)];
  }

  function item(parts, isBad) {
    const element = document.createElement('li');
    element.append(...parts);
    if (isBad) element.className = 'bad';
    return element;
  }

  // ---- a card

  function cardOf(name) {
    const known = cards.get(name);
    if (known) return known;
    const card = find('account').content.firstElementChild.cloneNode(true);
    const heading = card.querySelector('h2');
    heading.textContent = name;
    heading.id = 'account-' + name;
    card.setAttribute('aria-labelledby', heading.id);
    for (const button of card.querySelectorAll('[data-action]')) {
      button.setAttribute('aria-label', button.textContent.replace('…', '') + ': ' + name);
      button.addEventListener('click', () => act(button.dataset.action, name, card));
    }
    cards.set(name, card);
    return card;
  }

  function fill(card, account) {
    const [words, tone] = WORDS[account.state] ?? [account.state, 'warn'];
    const state = card.querySelector('.state');
    state.textContent = words;
    state.className = 'state ' + tone;
    const facts = [];
    const proven = account.proven ? ', proven by a log-in' : ', not proven by a log-in yet';
    facts.push(item([account.secret_version ? 'secret ' + account.secret_version + proven : 'the secret is missing, or marked for deletion']));
    if (account.refused_logins > 0) facts.push(item([account.refused_logins + ' log-ins refused'], true));
    if (account.next_try_at) facts.push(item(['next try ', moment(account.next_try_at)]));
    if (account.failure) facts.push(item(failureParts(account.failure), true));
    card.querySelector('.facts').replaceChildren(...facts);
    const sets = account.token_sets.map(timeline);
    if (sets.length === 0) {
      const none = document.createElement('p');
      none.textContent = 'No token set: nobody has asked for a token yet.';
      sets.push(none);
    }
    card.querySelector('.sets').replaceChildren(...sets);
  }

  // ---- the timeline of a token set: its life as a bar, what is over of it, now, and when it is renewed

  function shape(name, attributes) {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  }

  function timeline(set) {
    const figure = document.createElement('figure');
    const caption = document.createElement('figcaption');
    const strong = document.createElement('strong');
    strong.textContent = (set.state === 'empty' ? 'no token: revoked, or not obtained yet' : set.state) + (set.renewing ? ', being renewed now' : '');
    caption.append(strong);
    const tell = (words, time) => time && caption.append(', ' + words + ' ', moment(time));
    tell('obtained', set.obtained_at);
    tell(set.state === 'expired' ? 'expired' : 'expires', set.expires_at);
    tell('due for renewal', set.due_at);
    tell('kept warm until', set.warm_until);
    tell('session ends', set.refresh_expires_at);
    if (set.failure) caption.append('; ', ...failureParts(set.failure));
    if (set.obtained_at && set.expires_at) figure.append(drawing(set));
    figure.append(caption);
    figure.title = set.set;
    return figure;
  }

  function drawing(set) {
    const start = Date.parse(set.obtained_at);
    const end = Date.parse(set.expires_at);
    const now = Date.now();
    const last = Math.max(end, now);
    const at = (ms) => Math.max(0, Math.min(1000, Math.round((1000 * (ms - start)) / Math.max(1, last - start))));
    const words = 'Life of the token: ' + (end > now ? span(end - now) + ' of ' + span(end - start) + ' left' : 'over');
    const svg = shape('svg', { viewBox: '0 0 1000 32', preserveAspectRatio: 'none', role: 'img', 'aria-label': words });
    svg.append(shape('rect', { class: 'life', x: 0, y: 8, width: at(end), height: 16 }));
    svg.append(shape('rect', { class: 'past', x: 0, y: 8, width: Math.min(at(now), at(end)), height: 16 }));
    if (set.due_at) {
      const due = at(Date.parse(set.due_at));
      svg.append(shape('line', { class: 'due', x1: due, x2: due, y1: 2, y2: 30, 'vector-effect': 'non-scaling-stroke' }));
    }
    svg.append(shape('line', { class: 'now', x1: at(now), x2: at(now), y1: 2, y2: 30, 'vector-effect': 'non-scaling-stroke' }));
    return svg;
  }

  // ---- what the page does

  async function show() {
    const asker = visitor;
    const shown = [];
    let next;
    for (let page = 0; page === 0 || (page < pages && next); page++) {
      const answer = await call('GET', 'v1/accounts' + (next ? '?after=' + encodeURIComponent(next) : ''));
      if (asker !== visitor) return;
      if (answer.status === 401 || answer.status === 403) return askWho(answer);
      if (!answer.ok) {
        find('summary').textContent = complaint(answer);
        return;
      }
      shown.push(...(answer.value.accounts ?? []));
      next = answer.value.next;
    }
    find('sign-in').hidden = true;
    find('forget').hidden = credential === '';
    find('more').hidden = !next;
    accounts = shown;
    render();
  }

  function render() {
    const names = accounts.map((account) => account.provider + '/' + account.account);
    for (const [name, card] of cards) {
      if (names.includes(name)) continue;
      card.remove();
      cards.delete(name);
    }
    accounts.forEach((account, index) => {
      const card = cardOf(names[index]);
      fill(card, account);
      if (!card.isConnected) find('accounts').append(card);
    });
    const counts = new Map();
    for (const { state } of accounts) counts.set(state, (counts.get(state) ?? 0) + 1);
    const states = [...counts].map(([state, count]) => count + ' ' + (WORDS[state]?.[0] ?? state)).join(', ');
    const words = accounts.length === 0
      ? 'There is no account that you may inspect.'
      : accounts.length + (accounts.length === 1 ? ' account' : ' accounts') + (find('more').hidden ? ': ' : ', and there are more: ') + states;
    // Said again only when it changed: a screen reader would read it every ten seconds.
    if (find('summary').textContent !== words) find('summary').textContent = words;
  }

  function leave() {
    visitor += 1;
    credential = '';
    find('log').replaceChildren();
    find('done').hidden = true;
  }

  function askWho(answer) {
    const hadOne = credential !== '';
    leave();
    accounts = [];
    pages = 1;
    find('more').hidden = true;
    render();
    find('forget').hidden = true;
    find('why').textContent = hadOne
      ? 'That credential was not accepted: ' + complaint(answer)
      : 'The accounts are shown to callers with a grant to inspect. A deployment whose callers sign with AWS keys is looked at with npm run console -- --stage NAME.';
    find('summary').textContent = 'Not signed in.';
    if (!find('sign-in').hidden && !hadOne) return;
    find('sign-in').hidden = false;
    find('credential').focus();
  }

  function parametersOf(card) {
    const lines = card.querySelector('textarea').value.split('\n').map((line) => line.trim()).filter(Boolean);
    return Object.fromEntries(lines.map((line) => {
      const at = line.indexOf('=');
      return at < 1 ? [line, ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }));
  }

  function isSure(name) {
    const dialog = find('sure');
    find('sure-what').textContent = 'The token of ' + name + ' ends for every app that uses it; the next request gets another.';
    dialog.returnValue = '';
    dialog.showModal();
    return new Promise((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true }));
  }

  async function act(action, name, card) {
    if (action === 'revoke' && !(await isSure(name))) return;
    const path = name.split('/').map(encodeURIComponent).join('/');
    const paths = { vend: 'v1/tokens/' + path, revoke: 'v1/tokens/' + path + '/revoke', reset: 'v1/accounts/' + path + '/reset' };
    const buttons = [...card.querySelectorAll('[data-action]')];
    const pressed = document.activeElement;
    for (const button of buttons) button.disabled = true;
    const asker = visitor;
    const answer = await call('POST', paths[action], parametersOf(card));
    if (asker !== visitor) return;
    for (const button of buttons) button.disabled = false;
    if (buttons.includes(pressed) && document.activeElement === document.body) pressed.focus();
    const words = answer.ok ? success(action, answer.value) : complaint(answer);
    const outcome = card.querySelector('.outcome');
    outcome.className = answer.ok ? 'outcome' : 'outcome bad';
    outcome.textContent = words;
    note(name + ': ' + words);
    await show();
  }

  function success(action, value) {
    if (action === 'reset') return 'Reset: the next request is tried at once.';
    if (action === 'revoke') return 'Revoked and forgotten: the next request gets another token.';
    return 'Vended a token that expires ' + relative(value.expires_at) + '; fingerprint ' + value.fingerprint + '. The token itself is not shown.';
  }

  function note(words) {
    const time = new Date().toISOString().slice(11, 19) + 'Z ';
    find('log').prepend(item([time + words]));
    while (find('log').children.length > 20) find('log').lastElementChild.remove();
    find('done').hidden = false;
  }

  find('sign-in').addEventListener('submit', (event) => {
    event.preventDefault();
    visitor += 1;
    credential = find('credential').value.trim().replace(/^bearer /i, '');
    find('credential').value = '';
    show();
  });
  find('forget').addEventListener('click', () => {
    leave();
    show();
  });
  find('refresh').addEventListener('click', show);
  find('more').addEventListener('click', () => {
    pages += 1;
    show();
  });
  find('yes').addEventListener('click', () => find('sure').close('yes'));
  find('no').addEventListener('click', () => find('sure').close('no'));
  setInterval(() => {
    if (find('follow').checked && find('sign-in').hidden && document.visibilityState === 'visible') show();
  }, REFRESH_MS);
  setInterval(() => {
    for (const element of document.querySelectorAll('time')) element.textContent = relative(element.dateTime);
  }, 1000);
  show();
})();
`;

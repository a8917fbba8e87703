/** @returns the page around its style and its script */
export function markup(style: string, script: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Token vending: accounts</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header>
  <h1>Token vending</h1>
  <p id="summary" role="status" aria-live="polite">Asking for the accounts…</p>
  <p class="tools">
    <button type="button" id="refresh">Refresh</button>
    <label><input type="checkbox" id="follow" checked> every 10 s</label>
    <button type="button" id="forget" hidden>Forget the credential</button>
  </p>
</header>
<main>
  <form id="sign-in" hidden>
    <h2>Who are you?</h2>
    <p id="why"></p>
    <label for="credential">Credential</label>
    <input id="credential" type="password" autocomplete="off" spellcheck="false" required aria-describedby="credential-hint">
    <p id="credential-hint" class="hint">A JWT whose subject has a grant to inspect, or the key that <code>npm run console</code> printed. It stays in this
    page's memory and is gone when the page is closed.</p>
    <button>Show the accounts</button>
  </form>
  <div id="accounts"></div>
  <p><button type="button" id="more" hidden>Show more accounts</button></p>
  <section id="done" aria-labelledby="done-title" hidden>
    <h2 id="done-title">Done from this page</h2>
    <ol id="log"></ol>
  </section>
</main>
<template id="account">
  <article>
    <h2></h2>
    <p class="state"></p>
    <ul class="facts"></ul>
    <div class="sets"></div>
    <details>
      <summary>Token parameters</summary>
      <label>One a line, <code>name=value</code>; empty for the account's own token
        <textarea rows="2" spellcheck="false"></textarea></label>
    </details>
    <p class="actions">
      <button type="button" data-action="vend">Try a vend</button>
      <button type="button" data-action="reset">Reset</button>
      <button type="button" data-action="revoke" class="danger">Revoke…</button>
    </p>
    <p class="outcome" role="status" aria-live="polite"></p>
  </article>
</template>
<dialog id="sure" aria-labelledby="sure-title">
  <h2 id="sure-title">Revoke this token?</h2>
  <p id="sure-what"></p>
  <p class="actions">
    <button type="button" id="no" autofocus>Keep it</button>
    <button type="button" id="yes" class="danger">Revoke it</button>
  </p>
</dialog>
<script>${script}</script>
</body>
</html>
`;
}

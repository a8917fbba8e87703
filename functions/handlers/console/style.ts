/** Contrast of every text is at least 4.5 to 1, in light and dark; nothing is told by colour alone. */
export const style = String.raw`
:root { --ink: #1b1f24; --faint: #57606a; --page: #f6f8fa; --card: #fff; --line: #d0d7de; --accent: #0550ae; --good: #116329;
  --warn: #7d4e00; --bad: #a40e26; --bar: #b6d4fe; --past: #5a8fd6; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --faint: #9da7b1; --page: #0d1117; --card: #161b22; --line: #3d444d; --accent: #79b8ff; --good: #56d364;
    --warn: #e3b341; --bad: #ff8a80; --bar: #1f3d66; --past: #4a7ec0; }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1.5rem; margin-bottom: 1rem; }
h1 { font-size: 1.25rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 0; overflow-wrap: anywhere; }
p, ul, ol { margin: .25rem 0; }
#summary { flex: 1; color: var(--faint); }
.tools { display: flex; flex-wrap: wrap; align-items: center; gap: .75rem; }
#accounts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); gap: 1rem; }
article, form, #done { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; }
form { max-width: 40rem; margin-bottom: 1rem; }
#done { margin-top: 1rem; }
article { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: .25rem 1rem; align-content: start; }
article > :not(h2, .state) { grid-column: 1 / -1; }
.state { margin: 0; font-weight: 600; }
.state.good { color: var(--good); } .state.warn { color: var(--warn); } .state.bad { color: var(--bad); }
.facts { padding: 0; list-style: none; color: var(--faint); font-size: .9rem; overflow-wrap: anywhere; }
.facts .bad { color: var(--bad); }
figure { margin: .5rem 0; }
figcaption { font-size: .9rem; color: var(--faint); }
figcaption strong { color: var(--ink); }
svg { display: block; width: 100%; height: 2rem; }
svg .life { fill: var(--bar); } svg .past { fill: var(--past); }
svg .now { stroke: var(--ink); stroke-width: 3; } svg .due { stroke: var(--warn); stroke-width: 3; stroke-dasharray: 4 3; }
label { display: block; }
input[type=password], textarea { width: 100%; padding: .4rem; font: inherit; font-family: ui-monospace, monospace; color: inherit;
  background: var(--page); border: 1px solid var(--faint); border-radius: .25rem; }
.tools label { display: inline-flex; align-items: center; gap: .25rem; }
.hint, summary { color: var(--faint); font-size: .9rem; }
button { font: inherit; white-space: nowrap; min-height: 2.25rem; padding: .25rem .75rem; color: var(--accent); background: none; border: 1px solid var(--accent);
  border-radius: .25rem; cursor: pointer; }
button:disabled { color: var(--faint); border-color: var(--faint); cursor: progress; }
button.danger { color: var(--bad); border-color: var(--bad); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.actions { display: flex; flex-wrap: wrap; gap: .5rem; }
.outcome { min-height: 1.5em; overflow-wrap: anywhere; }
.outcome.bad { color: var(--bad); }
dialog { max-width: 30rem; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
dialog::backdrop { background: rgb(0 0 0 / .5); }
`;

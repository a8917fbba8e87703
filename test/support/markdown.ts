/** A fenced block of a Markdown document. */
export interface Snippet {
  language: string;
  text: string;
  /** of the heading that it stands under */
  heading: string;
}

/** @returns the fenced blocks of a Markdown document, in order */
export function snippetsOf(markdown: string): readonly Snippet[] {
  const snippets: Snippet[] = [];
  let heading = '';
  let open: Snippet | undefined;
  for (const line of markdown.split('\n')) {
    const fence = /^```(\w*)/.exec(line);
    if (open !== undefined && fence !== null) {
      snippets.push(open);
      open = undefined;
    } else if (fence !== null) open = { language: fence[1] ?? '', text: '', heading };
    else if (open !== undefined) open.text += `${line}\n`;
    else if (line.startsWith('#')) heading = line.replace(/^#+ /, '');
  }
  return snippets;
}

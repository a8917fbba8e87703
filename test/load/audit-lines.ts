/** What the functions of this process wrote to standard output. */
export interface AuditLines {
  /** vends by where their token came from: `memory`, `table`, `renewal` */
  readonly vendsFrom: Record<string, number>;
  /** calls that failed or were refused by code, and lines for operators by what they say */
  readonly codes: Record<string, number>;
  /** forgets what was heard so far */
  reset(): void;
  /** standard output is everybody's again */
  stop(): void;
}

function count(counts: Record<string, number>, word: string): void {
  counts[word] = (counts[word] ?? 0) + 1;
}

/** Reads the functions' lines instead of showing them; other lines pass. A load test would print a hundred thousand. */
export function readAuditLines(): AuditLines {
  const write = process.stdout.write.bind(process.stdout);
  const vendsFrom: Record<string, number> = {};
  const codes: Record<string, number> = {};
  const take = (text: string): boolean => {
    if (text.startsWith('{"_aws"')) return true;
    if (text.startsWith('{"kind":"log"')) return note(text);
    if (!text.startsWith('{"kind":"audit"')) return write(text);
    const line: { event: string; code?: string; detail?: { from?: string } } = JSON.parse(text);
    if (line.event === 'vend' && line.detail?.from !== undefined) count(vendsFrom, line.detail.from);
    if (line.code !== undefined) count(codes, `${line.event} ${line.code}`);
    return true;
  };
  const note = (text: string): true => {
    const line: { level: string; message: string; error?: { code?: string } } = JSON.parse(text);
    count(codes, `${line.level}: ${line.message} ${line.error?.code ?? ''}`.trim());
    return true;
  };
  process.stdout.write = (chunk: string | Uint8Array) => (typeof chunk === 'string' ? take(chunk) : write(chunk));
  return {
    vendsFrom,
    codes,
    reset() {
      for (const counts of [vendsFrom, codes]) for (const word of Object.keys(counts)) delete counts[word];
    },
    stop() {
      process.stdout.write = write;
    },
  };
}

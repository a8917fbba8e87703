import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';

/** A JSON document that outlives the process where it has a file. */
export interface State<T> {
  /** change it in place, then {@link State.save} */
  readonly value: T;
  /** Returns when the document is on the disk, whole: a kill at any moment leaves the old or the new one. */
  save(): void;
}

/**
 * Opens a document.
 *
 * @param directory where it is kept, for its owner alone; undefined keeps it in memory
 * @param name file name
 * @param initial what a new document holds
 */
export function openState<T>(directory: string | undefined, name: string, initial: T): State<T> {
  if (directory === undefined) return { value: initial, save: () => undefined };
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = path.join(directory, name);
  const value: T = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : initial;
  return { value, save: () => replace(file, JSON.stringify(value)) };
}

function replace(file: string, text: string): void {
  const next = `${file}.next`;
  const handle = openSync(next, 'w', 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(next, file);
}

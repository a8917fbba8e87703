import type { Provider } from '../core/provider.ts';
import { amino } from './amino.ts';
import { movingimageVms } from './movingimage-vms.ts';
import { movingimage } from './movingimage.ts';
import { vidizmo } from './vidizmo.ts';

/** Every provider, listed once. A new one is its file and its line here. */
const all: readonly Provider[] = [amino, movingimage, movingimageVms, vidizmo];

/** @returns the providers by id */
export function providersById(): ReadonlyMap<string, Provider> {
  return new Map(all.map((provider) => [provider.id, provider]));
}

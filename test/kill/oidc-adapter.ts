import type { Adapter, AdapterPayload } from 'oidc-provider';

/** Keeps everything: the package's own memory forgets the oldest of a thousand, which would look like a dead session. */
export class KeepingAdapter implements Adapter {
  static readonly #all = new Map<string, AdapterPayload>();
  readonly #model: string;

  constructor(model: string) {
    this.#model = model;
  }

  async upsert(id: string, payload: AdapterPayload): Promise<void> {
    KeepingAdapter.#all.set(this.#place(id), { ...payload });
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return KeepingAdapter.#all.get(this.#place(id));
  }

  async consume(id: string): Promise<void> {
    const payload = KeepingAdapter.#all.get(this.#place(id));
    if (payload) payload['consumed'] = Math.floor(Date.now() / 1000);
  }

  async destroy(id: string): Promise<void> {
    KeepingAdapter.#all.delete(this.#place(id));
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [place, payload] of KeepingAdapter.#all) if (payload.grantId === grantId) KeepingAdapter.#all.delete(place);
  }

  async findByUid(): Promise<undefined> {}

  async findByUserCode(): Promise<undefined> {}

  #place(id: string): string {
    return `${this.#model} ${id}`;
  }
}

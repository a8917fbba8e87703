import { createMemoryStore } from '../support/memory-store.ts';
import { describeTokenStore } from './token-store.ts';

// A page of two, so that paging is part of what is tried.
describeTokenStore('memory', async () => ({ store: createMemoryStore({ pageSize: 2 }), stop: async () => {} }));

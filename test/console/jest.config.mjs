import base from '../../jest.config.mjs';

// A suite of its own, because it needs a browser: npm run test:console
const [{ testMatch: _, ...project }] = base.projects;
export default { ...project, displayName: 'console', rootDir: '../..', testMatch: ['<rootDir>/test/console/*.test.ts'] };

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // The default is one less than there are cores, and tests wait for chains and sockets much of the time.
    maxWorkers: 2,
  },
})

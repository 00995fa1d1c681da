import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Tests wait for chains and sockets most of the time: of two cores one file alone uses a seventh.
    maxWorkers: 3,
  },
})

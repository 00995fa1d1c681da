/** Counts what must not happen for strangers: writes, and questions to a node. */
import type { Chain } from '../../src/chain/chain.ts'
import type { Store } from '../../src/store/store.ts'

export type Work = { writes: number; chainCalls: number }

export function counted(store: Store, chain: Chain): { store: Store; chain: Chain; work: Work } {
  const work: Work = { writes: 0, chainCalls: 0 }
  return {
    work,
    store: {
      ...store,
      update: (key, change) => {
        work.writes += 1
        return store.update(key, change)
      },
      updateWithRecord: (key, name, change) => {
        work.writes += 1
        return store.updateWithRecord(key, name, change)
      },
      writeRecord: (name, change) => {
        work.writes += 1
        return store.writeRecord(name, change)
      },
    },
    chain: new Proxy(chain, {
      get: (target, name, self) => {
        const member: unknown = Reflect.get(target, name, self)
        if (typeof member !== 'function') return member
        return (...args: unknown[]): unknown => {
          work.chainCalls += 1
          return Reflect.apply(member, target, args)
        }
      },
    }),
  }
}

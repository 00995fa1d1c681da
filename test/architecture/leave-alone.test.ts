/** A sender leaves with the last program of docs/how-to/leave-alone.md: its key and a node, and nothing of `src/`. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { newBuyer, newReceiver, rpc, startWorld, tokensOf } from '../support/market.ts'
import { blocksOf } from './pages.ts'
import { root } from './sources.ts'

type Leave = (rpc: string, key: string, escrow: string, id: string, owed?: bigint) => Promise<{ status: string }>
type Program = { readonly requestClose: Leave; readonly withdraw: Leave }

const folder = mkdtempSync(join(tmpdir(), 'farthing-leave-'))
let world: LocalChain
beforeAll(async () => {
  world = await startWorld()
})
afterAll(async () => {
  await world.anvil.stop()
  rmSync(folder, { recursive: true })
})

it('a sender gets its deposit back from a receiver that is gone, less what it says it owes', async () => {
  const program = blocksOf('docs/how-to/leave-alone.md').findLast(({ language }) => language === 'ts')
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'leave.ts'), program!.lines.join('\n'))
  const { requestClose, withdraw } = (await import(join(folder, 'leave.ts'))) as Program

  const receiver = await newReceiver(world)
  const buyer = await newBuyer(world, receiver, 1_000n)
  await receiver.stop()
  const before = await tokensOf(world, buyer.account.address)
  const { privateKey } = buyer.account

  expect(await requestClose(world.anvil.url, privateKey, world.escrow, buyer.id, 150n)).toMatchObject({
    status: 'success',
  })
  await expect(withdraw(world.anvil.url, privateKey, world.escrow, buyer.id)).rejects.toThrow()
  await rpc(world, 'evm_increaseTime', 900)
  await rpc(world, 'evm_mine')
  expect(await withdraw(world.anvil.url, privateKey, world.escrow, buyer.id)).toMatchObject({ status: 'success' })
  expect((await tokensOf(world, buyer.account.address)) - before).toBe(850n)
  expect(await tokensOf(world, receiver.address)).toBe(150n)
})

/**
 * What a token and an escrow can do together: asked from the chain once, and kept in the store.
 *
 * What is kept may be wrong, or become so. Then a way to put in a deposit fails before anything is sent, the next one is
 * taken, and it is not tried again for a while.
 */
import type { Hex } from 'viem'
import { ownRecord } from '../base/read.ts'
import type { TransferKind } from '../escrow/escrow.ts'
import { PERMIT2 } from '../escrow/session-signed.ts'
import { tokenFacts } from '../escrow/session-token.ts'
import type { Abilities, Ability, Context } from './context.ts'
import { transferCall, transferData, unlessReverted, type Deposit } from './wanted.ts'

/** What was asked, and when. */
type Asked = { readonly abilities: Abilities; readonly atMs: number }

/** A token behind a proxy may learn something, or have been paused. */
const ASKED_AGAIN_MS = 604_800_000

export async function abilitiesOf(context: Context, deposit: Deposit): Promise<Abilities> {
  const { store, live } = context
  const name = nameOf(context, deposit)
  const known = live.abilities.get(name)
  if (known) return known
  const record = await store.readRecord(name)
  const asked = record === undefined ? undefined : ownRecord<Asked>(record)
  if (asked && asked.atMs + ASKED_AGAIN_MS > Date.now()) {
    live.abilities.set(name, asked.abilities)
    return asked.abilities
  }
  const abilities = await ask(context, deposit)
  await keep(context, deposit, abilities)
  return abilities
}

/** One of them turned out not to be there. */
export async function lose(context: Context, deposit: Deposit, ability: Ability): Promise<void> {
  const { transfer, ...others } = await abilitiesOf(context, deposit)
  const without = ability === 'transfer' ? others : { ...others, ...(transfer && { transfer }), [ability]: false }
  await keep(context, deposit, without)
}

async function keep(context: Context, deposit: Deposit, abilities: Abilities): Promise<void> {
  const name = nameOf(context, deposit)
  context.live.abilities.set(name, abilities)
  await context.store.writeRecord(name, () => JSON.stringify({ abilities, atMs: Date.now() } satisfies Asked))
}

/** Data that no escrow takes: neither the terms of a channel nor the id of one. */
const NONSENSE: Hex = `0x${'fa'.repeat(31)}`

async function ask(context: Context, deposit: Deposit): Promise<Abilities> {
  const { chain, allowed } = context
  const { escrow, token } = deposit
  const [transfer, facts, code] = await Promise.all([
    transferKind(context, deposit),
    escrow.signed && tokenFacts(token, allowed.chainId, (call) => unlessReverted(context, call)),
    escrow.signed && chain.code(PERMIT2),
  ])
  return {
    ...(facts ?? { authorizes: false, permits: false }),
    ...(transfer && { transfer }),
    permit2: code !== undefined && code !== '0x',
  }
}

/**
 * A transfer counts if it would succeed, and if it would fail with data that the escrow refuses: so the token does
 * hand the data on. One that takes every call and does nothing would succeed both times.
 */
async function transferKind(context: Context, deposit: Deposit): Promise<TransferKind | undefined> {
  for (const kind of deposit.escrow.transfers) {
    const said = (data: Hex) => unlessReverted(context, transferCall(deposit, kind, deposit.least, data))
    const [sound, refused] = await Promise.all([said(transferData(deposit)), said(NONSENSE)])
    if (sound !== undefined && refused === undefined) return kind
  }
  return undefined
}

function nameOf({ allowed }: Context, { token, at }: Deposit): string {
  return `token:${allowed.chainId}:${token}:${at.address}`
}

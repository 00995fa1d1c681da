/**
 * The whole life of a payment channel, played for real: run it with `npm run demo`,
 * or with `npm run demo -- --rail rdn` over the protocol and the contract of µRaiden.
 *
 * A chain, an escrow contract, a receiver that sells and a sender that buys, over
 * real HTTP, on this machine. It ends by itself, with exit code 0 if every token
 * is accounted for.
 */
import type { PaymentHeaders } from './rails.ts'
import { result, say, timed, title } from './say.ts'
import { DEPOSIT, PRICE, startWorld, type World } from './world.ts'

const [world, took] = await timed(startWorld)
try {
  const ok = await play(world, took)
  process.exitCode = ok ? 0 : 1
} finally {
  await world.stop()
}

async function play(world: World, took: string): Promise<boolean> {
  const before = await holdings(world)
  const sent = await world.transactions()
  title('Somebody sells, somebody buys')
  say(`A chain, an escrow contract and a token were put on this machine in ${took}.`)
  say(`The receiver sells ${world.url}/echofix/:text for ${PRICE} base units of the token.`)
  say(`The sender holds ${before.sender} base units.`)
  say(`They speak ${world.rail.about}.`)

  await lookWithoutPaying(world)
  await visitFirst(world)
  await visitAgain(world)
  await visitAllAtOnce(world)
  await visitWithoutEnough(world)
  await payWrongly(world)
  await settle(world)
  const { settled, refunded } = await close(world)
  const transactions = (await world.transactions()) - sent
  return account(world, before, { settled, refunded, transactions })
}

async function lookWithoutPaying({ url }: World): Promise<void> {
  title('Whoever has not paid is asked to')
  say(await refusal(await fetch(`${url}/echofix/hello`)))
}

async function visitFirst(world: World): Promise<void> {
  title('The first visit opens a channel')
  const transactions = await spentOn(world, () => visit(world, 'hello'))
  say(`That was ${transactions} transaction, which put a deposit of ${DEPOSIT} into a channel to the receiver.`)
  say(`From now on the sender pays by signing the sum of what it owes: so far ${PRICE}.`)
}

async function visitAgain(world: World): Promise<void> {
  title('Later visits use the same channel')
  const transactions = await spentOn(world, async () => {
    for (const text of ['it', 'is', 'me']) await visit(world, text)
  })
  say(`${transactions} transactions: each payment is one signature, and nobody waits for the chain.`)
}

async function visitAllAtOnce(world: World): Promise<void> {
  title('Sixteen at once, on the one channel')
  const texts = Array.from({ length: 16 }, (_, n) => `page-${n}`)
  const [answers, took] = await timed(() => Promise.all(texts.map(world.buy)))
  const right = answers.filter((answer, n) => answer === texts[n]).length
  say(`${right} of 16 served, in ${took} together.`)
}

async function visitWithoutEnough(world: World): Promise<void> {
  title('The deposit is used up, and topped up')
  const { deposit, charged } = await channelOf(world)
  say(`Of the deposit of ${deposit}, ${charged} are spent.`)
  const transactions = await spentOn(world, () => visit(world, 'more'))
  say(`${transactions} transaction added to it: the deposit is ${(await channelOf(world)).deposit} now.`)
  await visit(world, 'and-more')
}

async function payWrongly(world: World): Promise<void> {
  title('A wrong payment buys nothing')
  const { charged } = await channelOf(world)
  const honest = world.lastPayment()
  say(`A copy of the last payment: ${await refusal(await payBy(world, honest))}`)
  say(
    `A sum that was not signed:  ${await refusal(await payBy(world, world.rail.withAmount(honest, charged + PRICE)))}`,
  )
  const after = await channelOf(world)
  say(`The channel is as it was: ${after.charged} charged.`)
}

async function settle(world: World): Promise<void> {
  title('The receiver takes what it has earned')
  const transactions = await spentOn(world, async () => {
    for (const { amount } of await world.receiver.settle()) say(`Settled ${amount} base units.`)
  })
  say(`${transactions} transaction for all visits so far. The channel stays open.`)
  await visit(world, 'still-here')
}

async function close(world: World) {
  title('Both close the channel')
  say(world.rail.closing)
  const { key } = await channelOf(world)
  const { settled, refunded } = await (await world.client.channel(key)).close()
  say(`The receiver has got ${settled} in all, and ${refunded} of the deposit went back to the sender.`)
  return { settled, refunded }
}

type Outcome = { readonly settled: bigint; readonly refunded: bigint; readonly transactions: number }

/** Compares what the ledgers say with what the chain says, to the unit. */
async function account(world: World, before: Holdings, { settled, refunded, transactions }: Outcome): Promise<boolean> {
  title('Every token is accounted for')
  const after = await holdings(world)
  const { deposit, charged } = await channelOf(world)
  for (const name of ['sender', 'receiver', 'escrow'] as const) {
    say(`${name.padEnd(8)}  ${before[name]} -> ${after[name]}  (${signed(after[name] - before[name])})`)
  }
  const served = world.served()
  const paid = BigInt(served) * PRICE
  const checks = {
    [`${served} visits at ${PRICE} are ${paid}, and that is what was charged`]: charged === paid,
    [`the receiver got what was charged`]: settled === paid && after.receiver - before.receiver === paid,
    [`the sender paid that and no more`]: before.sender - after.sender === paid,
    [`the rest of the deposit of ${deposit} came back`]: refunded === deposit - paid,
    [`nothing is left in the escrow`]: after.escrow === before.escrow,
  }
  for (const [claim, holds] of Object.entries(checks)) say(`${holds ? 'yes' : 'NO '}  ${claim}`)
  const ok = Object.values(checks).every(Boolean)
  say(`${served} visits, ${transactions} transactions by sender and receiver together.`)
  const amounts = { paid: `${paid}`, deposit: `${deposit}`, settled: `${settled}`, refunded: `${refunded}` }
  result({ requests: served, ...amounts, transactions, ok })
  return ok
}

async function visit(world: World, text: string): Promise<void> {
  const [answer, took] = await timed(() => world.buy(text))
  say(`GET /echofix/${text} -> ${answer}  (${took})`)
}

/** A request with a payment that somebody else has made up or copied. */
function payBy({ url }: World, headers: PaymentHeaders): Promise<Response> {
  return fetch(`${url}/echofix/free-lunch`, { headers })
}

async function refusal(response: Response): Promise<string> {
  const problem: unknown = await response.json()
  const detail = typeof problem === 'object' && problem !== null && 'detail' in problem ? problem.detail : ''
  return `${response.status}, "${String(detail)}"`
}

async function channelOf({ client }: World) {
  for await (const channel of client.channels()) return channel
  throw new Error('the sender has no channel')
}

type Holdings = Readonly<Record<'sender' | 'receiver' | 'escrow', bigint>>

async function holdings({ client, receiver, escrow, tokensOf }: World): Promise<Holdings> {
  const [sender, paid, held] = await Promise.all([client.address, receiver.address, escrow].map(tokensOf))
  return { sender: sender ?? 0n, receiver: paid ?? 0n, escrow: held ?? 0n }
}

/** Transactions that were sent while `work` ran. */
async function spentOn(world: World, work: () => Promise<void>): Promise<number> {
  const before = await world.transactions()
  await work()
  return (await world.transactions()) - before
}

function signed(amount: bigint): string {
  return amount > 0n ? `+${amount}` : `${amount}`
}

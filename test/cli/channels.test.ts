/** Looking at channels, and ending them: together with the receiver, and alone. */
import { beforeAll, describe, expect, it } from 'vitest'
import { newHome, rpc, sentBy, tokensOf, type Dev, type Ran } from './farthing.ts'

const home = newHome()
let dev: Dev
beforeAll(async () => {
  dev = await home.dev('--port', '0')
}, 60_000)

type Facts = { id: string; status: string; deposit: string; charged: string; settled: string }

async function open(path: string, n = 0): Promise<Facts> {
  const before = await channels(n)
  const bought = await run(n, 'get', `${dev.url}${path}`)
  expect(bought).toMatchObject({ code: 0 })
  const known = new Set(before.map(({ id }) => id))
  return (await channels(n)).find(({ id }) => !known.has(id))!
}

/** As one of the dev accounts, in an environment that says everything by itself. */
function run(n: number, ...args: string[]): Promise<Ran> {
  const { rpc: node, escrow, token, accounts } = dev
  if (n === 0) return home.here(args)
  const env = {
    FARTHING_RPC: node,
    FARTHING_ESCROW: escrow,
    FARTHING_TOKEN: token,
    FARTHING_KEY: accounts[n]!.privateKey,
  }
  return strangers[n]!.here(args, env)
}

/** Homes that know of no dev. */
const strangers = [newHome(), newHome(), newHome()]

async function channels(n = 0): Promise<Facts[]> {
  const { stdout } = await run(n, 'channels', '--json')
  return (JSON.parse(stdout) as { channels: Facts[] }).channels
}

describe('farthing channels', () => {
  it('says so when there are none', async () => {
    const { code, stdout } = await run(0, 'channels')
    expect([code, stdout]).toEqual([0, expect.stringContaining('No channels yet') as string])
  })

  it('lists them, and shows one by how its id begins', async () => {
    const { id } = await open('/echofix/foo')
    const list = await home.run(['channels', 'list'])
    const shown = await run(0, 'channels', 'show', id.slice(0, 6))
    const json = await run(0, 'channels', 'show', id.slice(2).toUpperCase(), '--json')
    expect(list.stdout).toMatch(/^ID +STATUS +PROTOCOL +RECEIVER +DEPOSIT +CHARGED +AVAILABLE +TOKEN\n/)
    expect(list.stdout).toContain(`${id.slice(0, 10)}…  open    payment`)
    expect(shown.stdout).toContain(id)
    expect(shown.stdout).toContain('5 base units (0.000005 FARDEMO)')
    expect(shown.stdout).toContain(`${dev.url}/echofix/foo`)
    expect(JSON.parse(json.stdout)).toMatchObject({
      id,
      status: 'open',
      deposit: '500',
      charged: '5',
      available: '495',
      receiver: dev.receiver.toLowerCase(),
      withdrawableAt: null,
    })
  })

  it.each(['', '0x', 'zz', `0x${'0'.repeat(64)}`])('knows no channel %j, and says where to look', async (id) => {
    const { code, stderr } = await run(0, 'channels', 'show', id)
    expect([code, stderr]).toEqual([2, expect.stringContaining('List them with `farthing channels`') as string])
  })

  it('mends lost records from the chain', async () => {
    const [before] = await channels()
    const fresh = `${home.folder}/fresh.db`
    const { stdout } = await home.here(['channels', '--json', '--state', fresh])
    const { id, deposit } = (JSON.parse(stdout) as { channels: Facts[] }).channels[0]!
    expect([id, deposit]).toEqual([before!.id, before!.deposit])
  })
})

describe('farthing close', () => {
  it('ends a channel together with its receiver, who takes what it charged', async () => {
    const buyer = dev.accounts[0]!.address
    const [{ id }] = (await channels()) as [Facts]
    const [held, paid] = [await tokensOf(dev, buyer), await tokensOf(dev, dev.receiver)]
    const { code, stdout } = await home.run(['close', id.slice(0, 12), '--json'])
    expect(code).toBe(0)
    const said = JSON.parse(stdout) as { transaction: string }
    expect(said).toMatchObject({ channel: id, settled: '5', refunded: '495' })
    expect(said.transaction).toMatch(/^0x[0-9a-f]{64}$/)
    expect([await tokensOf(dev, buyer), await tokensOf(dev, dev.receiver)]).toEqual([held + 495n, paid + 5n])
    expect((await channels())[0]).toMatchObject({ id, status: 'closed', settled: '5' })
  })

  it('asks at another URL of the receiver, if that is named', async () => {
    const { id } = await open('/text', 1)
    const { code, stdout } = await run(1, 'close', id, '--url', `${dev.url}/image`)
    expect([code, stdout]).toEqual([0, expect.stringContaining('took 2 base units in all; 198 came back') as string])
  })

  it('says what else can be done when the receiver is not there', async () => {
    const { id } = await open('/text', 1)
    const { code, stderr } = await run(1, 'close', id, '--url', 'http://127.0.0.1:9/')
    expect([code, stderr]).toEqual([4, expect.stringContaining('does not answer') as string])
  })
})

describe('farthing request-close and farthing withdraw', () => {
  it('end a channel without the receiver: what is owed is paid, the rest comes back after the challenge period', async () => {
    const buyer = dev.accounts[2]!.address
    const { id } = await open('/image', 2)
    const [held, paid] = [await tokensOf(dev, buyer), await tokensOf(dev, dev.receiver)]

    const early = await run(2, 'withdraw', id)
    expect([early.code, early.stderr]).toEqual([3, expect.stringContaining('Request its close first') as string])

    const requested = await run(2, 'request-close', id)
    expect(requested.code).toBe(0)
    expect(requested.stdout).toMatch(new RegExp(`After 20\\S+Z, run: farthing withdraw ${id}`))
    expect(await tokensOf(dev, dev.receiver)).toBe(paid + 10n)
    expect((await channels(2))[0]).toMatchObject({ status: 'closing', settled: '10' })

    const tooEarly = await run(2, 'withdraw', id)
    expect([tooEarly.code, tooEarly.stderr]).toEqual([3, expect.stringContaining('Withdraw after 20') as string])

    await rpc(dev.rpc, 'evm_increaseTime', 901)
    await rpc(dev.rpc, 'evm_mine')
    const withdrawn = await run(2, 'withdraw', id, '--json')
    expect(JSON.parse(withdrawn.stdout)).toMatchObject({ channel: id, refunded: '990' })
    expect(await tokensOf(dev, buyer)).toBe(held + 990n)
    expect(await sentBy(dev, buyer)).toBe(3)
  })
})

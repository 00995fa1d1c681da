/**
 * How the Python client of µRaiden 0.2 ended a channel: it asked the server for
 * a closing signature, and closed with it. Refused, or not answered, or given
 * another's signature, it asked the contract to close at a balance of 0.
 */
import type { Hex } from 'viem'
import type { OwnChannel, Session } from './client.ts'
import { PYTHON } from './client.ts'
import type { Answer } from './exchange.ts'
import { closingSigner } from './signing.ts'

export type Closed = {
  /** Both signed. Otherwise the challenge period has begun. */
  readonly together: boolean
  /** What the server said; none if it could not be reached. */
  readonly answer?: Answer
  readonly closingSignature?: Hex
}

/** Undefined when there is nothing to close. `endpoint` is the origin of the last request if it is not given. */
export async function closeOf(session: Session, endpoint = session.endpoint): Promise<Closed | undefined> {
  const { channel, options } = session
  if (channel?.state !== 'open') return undefined
  const answer = endpoint === undefined ? undefined : await ask(session, channel, endpoint).catch(() => undefined)
  const closingSignature = answer?.status === 200 ? signatureIn(answer) : undefined
  if (closingSignature && (await isReceivers(session, channel, closingSignature))) {
    await options.chain.closeTogether(channel, channel.balance, channel.signature, closingSignature)
    channel.state = 'closed'
    return { together: true, closingSignature, ...(answer && { answer }) }
  }
  await options.chain.closeAlone(channel, 0n)
  channel.state = 'settling'
  return { together: false, ...(answer && { answer }) }
}

/** No header of the payment goes with it: nobody is asked to prove who it is. */
function ask({ connection, address }: Session, channel: OwnChannel, endpoint: string): Promise<Answer> {
  const body = `balance=${channel.balance}`
  const lines = [
    ['Host', new URL(endpoint).host],
    ...PYTHON,
    ['Content-Length', `${Buffer.byteLength(body)}`],
    ['Content-Type', 'application/x-www-form-urlencoded'],
  ] as const
  return connection.send('DELETE', `${endpoint}/api/1/channels/${address}/${channel.block}`, lines, body)
}

function signatureIn({ body }: Answer): Hex {
  return (JSON.parse(body) as { close_signature: Hex }).close_signature
}

async function isReceivers({ address, options }: Session, channel: OwnChannel, signature: Hex): Promise<boolean> {
  const terms = { sender: address, block: channel.block, balance: channel.balance, contract: options.contract }
  const signer = await closingSigner(terms, signature).catch(() => undefined)
  return signer?.toLowerCase() === channel.receiver.toLowerCase()
}

/**
 * One word per concept. The words of the protocols stay where protocols are
 * read and written, and in the pages that explain them; `docs/reference/words.md`
 * says what each of them is called here.
 */
import { expect, it } from 'vitest'
import { filesIn, read } from './sources.ts'

/** Theirs and ours. Identifiers are read word by word, so `payerAddress` and `PAYERS` are found too. */
const words: Readonly<Record<string, string>> = {
  payer: 'sender',
  payee: 'receiver',
  authorizedSigner: 'signer',
  currency: 'token',
  asset: 'token',
  'balance proof': 'voucher',
  maxClaimableAmount: 'cumulativeAmount',
  acceptedCumulative: 'authorized',
  createChannel: 'open',
  cooperativeClose: 'close',
  uncooperativeClose: 'request close',
  'grace period': 'challenge period',
  initiateWithdraw: 'request close',
  finalizeWithdraw: 'withdraw',
  withdrawDelay: 'challenge period',
  credential: 'payment',
  facilitator: 'relayer',
}

/** The same letters with another meaning, or a name that a specification has fixed. */
const meant: readonly { readonly text: string; readonly why: string }[] = [
  { text: 'URL with credentials', why: 'a user name and a password' },
  { text: 'credentials of its URL', why: 'a user name and a password' },
  { text: 'an RPC URL are credentials', why: 'a user name and a password' },
  { text: 'CLOSE_GRACE_PERIOD', why: "the draft's name for a function of the escrow" },
  { text: 'closeGracePeriod', why: 'sets CLOSE_GRACE_PERIOD' },
  { text: 'GracePeriodOutOfRange', why: 'is about CLOSE_GRACE_PERIOD' },
]

/** Where a protocol is read, written or explained. */
const protocols: readonly RegExp[] = [
  /^src\/(dialect|escrow)\//,
  /^test\/vectors\//,
  /^test\/support\/wire\.ts$/,
  /^src\/web\/paywall\//,
  /^test\/(support\/)?uraiden\//,
  /^contracts\/test\/raiden\//,
  /^contracts\/(src|test)\/(.*\/)?I?Raiden\w+\.sol$/,
  /^docs\/reference\/(raiden-channels|uraiden-parity|rest)\.md$/,
  /^docs\/explanation\/differences-from-uraiden\.md$/,
  /^docs\/reference\/(words|http|rdn|problems)\.md$/,
  /^docs\/explanation\/decisions\.md$/,
  /^test\/architecture\/(words|http-example)\.test\.ts$/,
]

const everything = [
  ...filesIn('src', '.ts', '.tsx'),
  ...filesIn('test', '.ts'),
  ...filesIn('contracts/src', '.sol'),
  ...filesIn('contracts/test', '.sol'),
  ...filesIn('examples', '.ts', '.md'),
  ...filesIn('bin', '.mjs'),
  ...filesIn('docs', '.md'),
  ...['README.md', 'AGENTS.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
].filter((path) => !protocols.some((pattern) => pattern.test(path)) && !readsVectors(path))

const tokens = new Map(everything.map((path) => [path, split(read(path))]))

it.each(Object.entries(words))('nobody says %s where it is called %s', (theirs, ours) => {
  const found = [...tokens].flatMap(([path, said]) =>
    linesWith(theirs, said).map((line) => `${path}:${line} ${theirs}: ${ours}`),
  )
  expect(found).toEqual([])
})

it('a word is found in prose, in identifiers and in constants, and not inside another word', () => {
  const found = ['The payer', 'payerAddress', 'isPayer', 'PAYERS', 'a_payer_b', 'currencies']
  expect(found.map((text) => [...linesWith('payer', split(text)), ...linesWith('currency', split(text))])).toEqual(
    found.map(() => [1]),
  )
  expect(linesWith('payer', split('taxpayers prepayer payerish'))).toEqual([])
  expect(linesWith('balance proof', split('x\n balance\n * proofs, balanceProof'))).toEqual([2, 3])
  expect(linesWith('credential', split('a URL with credentials'))).toEqual([])
})

type Token = { readonly word: string; readonly line: number }

/** The lines on which `phrase` begins, in the singular or in the plural. */
function linesWith(phrase: string, said: readonly Token[]): number[] {
  const wanted = split(phrase).map(({ word }) => word)
  return said
    .filter((_, index) => wanted.every((word, offset) => is(said[index + offset]?.word, word)))
    .map(({ line }) => line)
}

function is(said: string | undefined, word: string): boolean {
  return said === word || said === `${word}s` || said === word.replace(/y$/, 'ies')
}

/** Words in lower case, identifiers taken apart at their capitals. What is meant otherwise is left out. */
function split(text: string): Token[] {
  const rest = meant.reduce((left, { text: fine }) => left.replace(inComments(fine), lineBreaksOf), text)
  return rest.split('\n').flatMap((line, index) =>
    [...line.matchAll(/[A-Z]+s?(?![a-z])|[A-Z]?[a-z]+/g)].map(([word]) => ({
      word: word.toLowerCase(),
      line: index + 1,
    })),
  )
}

/** The same words, on one line or on several lines of a comment. */
function inComments(text: string): RegExp {
  return new RegExp(text.replaceAll(' ', '[\\s*/]+'), 'g')
}

function lineBreaksOf(text: string): string {
  return text.replace(/[^\n]/g, ' ')
}

/** Vectors are taken as they are published, and whoever reads them has to use their names. */
function readsVectors(path: string): boolean {
  return read(path).includes('test/vectors/')
}

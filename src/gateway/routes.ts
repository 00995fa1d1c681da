/** All that the gateway serves: one table, from which it is described too. */
import { closeChannel, closeChannels, listRecords, settleChannels } from './administration.ts'
import { ok } from './answer.ts'
import { listOfSender, listSenders, redirectToList, showChannel } from './channels.ts'
import { closeTogether } from './closing.ts'
import { logIn, logOut } from './login.ts'
import { openApi } from './openapi.ts'
import type { Route } from './route.ts'
import { showStatistics } from './statistics.ts'

/** `path`: where the gateway is, without a slash at its end. */
export function routesAt(path: string): readonly Route[] {
  const described = [...elsewhere, ...below.map((route) => ({ ...route, path: `${path}${route.path}` }))]
  const describe: Route = {
    id: 'describe',
    method: 'GET',
    path: `${path}/openapi.json`,
    access: 'anyone',
    summary: 'This document.',
    answer: 'Document',
    run: () => ok(openApi([describe, ...described])),
  }
  return [describe, ...described]
}

const elsewhere: readonly Route[] = [
  {
    id: 'isAlive',
    method: 'GET',
    path: '/cm',
    access: 'anyone',
    summary: 'Says that it runs. Not below the path of the others.',
    answer: 'Word',
    run: () => ok('OK'),
  },
]

const closeAll = {
  path: '/admin/channels',
  access: 'administrator',
  summary: 'Closes every channel of every rail on chain now.',
  answer: 'Closings',
  refusals: [409, 501, 503],
  run: closeChannels,
} as const

/** Below the path of the gateway. */
const below: readonly Route[] = [
  {
    id: 'showStatistics',
    method: 'GET',
    path: '/stats',
    access: 'anyone, and administrators',
    summary: 'How the receiver is doing, and the interfaces of its contracts.',
    answer: 'Statistics',
    run: showStatistics,
  },

  {
    id: 'redirectToSenders',
    method: 'GET',
    path: '/channels',
    access: 'anyone',
    summary: 'Where the list is.',
    answer: 'redirect',
    run: redirectToList,
  },
  {
    id: 'listSenders',
    method: 'GET',
    path: '/channels/',
    access: 'anyone, and administrators',
    summary: 'All senders with the blocks of their channels.',
    takes: 'status',
    answer: 'Senders',
    refusals: [400],
    run: listSenders,
  },
  {
    id: 'listChannels',
    method: 'GET',
    path: '/channels/{sender}',
    access: 'anyone, and senders',
    summary: 'The channels of one sender.',
    takes: 'status',
    answer: 'Summaries',
    refusals: [400, 403],
    run: listOfSender,
  },
  {
    id: 'showChannel',
    method: 'GET',
    path: '/channels/{sender}/{block}',
    access: 'anyone, and senders',
    summary: 'One channel.',
    answer: 'Channel',
    refusals: [400, 403, 404],
    run: showChannel,
  },
  {
    id: 'closeTogether',
    method: 'DELETE',
    path: '/channels/{sender}/{block}',
    access: 'anyone, and senders',
    summary: 'Ends the payments and gives the consent of the receiver to a close, which the sender sends to the chain.',
    takes: 'balance',
    answer: 'CloseSignature',
    refusals: [400, 403, 404, 409, 410, 413, 501, 503],
    run: closeTogether,
  },

  {
    id: 'logIn',
    method: 'GET',
    path: '/login',
    access: 'administrator',
    summary: 'A token for a user and a password.',
    answer: 'Token',
    run: logIn,
  },
  {
    id: 'logOut',
    method: 'GET',
    path: '/logout',
    access: 'administrator',
    summary: 'Ends a token.',
    answer: 'Word',
    refusals: [400],
    run: logOut,
  },
  {
    id: 'isAdministrator',
    method: 'GET',
    path: '/admin',
    access: 'administrator',
    summary: 'Says that the one who asks is an administrator.',
    answer: 'Word',
    run: () => ok('OK'),
  },
  {
    id: 'listRecords',
    method: 'GET',
    path: '/admin/channels',
    access: 'administrator',
    summary: 'Every channel of every rail, those that have ended too.',
    answer: 'Records',
    run: listRecords,
  },
  { id: 'closeAll', method: 'POST', ...closeAll },
  { id: 'deleteAll', method: 'DELETE', ...closeAll },
  {
    id: 'closeChannel',
    method: 'DELETE',
    path: '/admin/channels/{sender}/{block}',
    access: 'administrator',
    summary: 'Closes one channel on chain now.',
    answer: 'Closed',
    refusals: [400, 404, 409, 410, 501, 503, 504],
    run: closeChannel,
  },
  {
    id: 'settleAll',
    method: 'POST',
    path: '/admin/settle',
    access: 'administrator',
    summary: 'Settles whatever there is to settle, on every rail, and says of each channel what became of it.',
    answer: 'Settlements',
    refusals: [409, 501, 503],
    run: settleChannels,
  },
]

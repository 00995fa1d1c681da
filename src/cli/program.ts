/** All commands, and what they have in common. */
import { Command } from 'commander'
import { addChannels } from './commands/channels.ts'
import { addCloseAll } from './commands/close-all.ts'
import { addClose } from './commands/close.ts'
import { addDeploy } from './commands/deploy.ts'
import { addDev } from './commands/dev.ts'
import { addDoctor } from './commands/doctor.ts'
import { addGet } from './commands/get.ts'
import { addKeys } from './commands/keys.ts'
import { addOperator } from './commands/operator.ts'
import { addReconcile } from './commands/reconcile.ts'
import { addRequestClose } from './commands/request-close.ts'
import { addServe } from './commands/serve.ts'
import { addSettle } from './commands/settle.ts'
import { addStats } from './commands/stats.ts'
import { addWatch } from './commands/watch.ts'
import { addWithdraw } from './commands/withdraw.ts'
import { exitHelp } from './exit.ts'
import { version } from './version.ts'

export function createProgram(): Command {
  const program = new Command('farthing')
    .description('Buys and sells what costs less than the smallest coin, request by request, over payment channels.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'farthing: ')) })
    .showHelpAfterError('See `farthing --help`, and `farthing COMMAND --help` for one command.')
    .addHelpText('after', help)
  for (const add of [...buying, ...selling, addKeys]) add(program)
  return program
}

const buying = [addDev, addGet, addChannels, addClose, addRequestClose, addWithdraw]
const selling = [addServe, addWatch, addSettle, addCloseAll, addStats, addOperator, addDeploy, addDoctor, addReconcile]

const help = `
Your first purchase, with two terminals and nothing else:
  farthing dev
  farthing get http://127.0.0.1:4020/echofix/foo

Elsewhere:
  farthing keys new
  export FARTHING_RPC=https://node.example FARTHING_ESCROW=0x… FARTHING_TOKEN=0x…
  farthing get https://api.example.com/weather/berlin

To sell, with a key of its own:
  farthing serve --rpc https://node.example --escrow 0x… --token 0x… --upstream http://127.0.0.1:8080 --price 5

When something is slow, or does not work:
  farthing doctor

Every command has --help with examples and --json for programs. Amounts are base units of the token.
Key and channels are kept in FARTHING_HOME (default: farthing in the XDG state folder).
${exitHelp}

Documentation: docs/reference/cli.md`

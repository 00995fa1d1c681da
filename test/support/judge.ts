/** A receiver that is a contract: it asks the real escrows what they would pay for vouchers, and undoes each answer. */
import { decodeAbiParameters, encodeFunctionData, parseAbi, type Address, type Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { deploy } from '../../src/chain/deploy.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { compile } from './compile.ts'

/** A voucher as somebody shows it. `block`: of the channel's opening, on the rail of µRaiden. */
export type Shown = { readonly id: Hex; readonly block: number; readonly amount: bigint; readonly signature: Hex }

export type Judge = {
  readonly address: Address
  /** For each voucher: whether each way in which the escrow could be asked would pay for it. */
  judge(rail: 'payment' | 'rdn', vouchers: readonly Shown[]): Promise<readonly boolean[][]>
}

const source = `
struct Row { bytes32 id; uint128 amount; bytes signature; }
interface Session {
  function settle(bytes32, uint128, bytes calldata) external;
  function settleMany(address, Row[] calldata) external returns (uint256);
}
interface Raiden { function withdraw(uint32, uint192, bytes calldata) external; }
struct Shown { bytes32 id; uint32 openBlock; uint256 amount; bytes signature; }
contract Judge {
  error Verdict(bool pays);
  function judgeSession(address escrow, address token, Shown[] calldata all) external returns (bytes memory verdicts) {
    verdicts = new bytes(all.length);
    for (uint256 i; i < all.length; ++i) {
      Shown calldata it = all[i];
      if (it.amount > type(uint128).max) continue;
      bool one = _pays(escrow, abi.encodeCall(Session.settle, (it.id, uint128(it.amount), it.signature)));
      Row[] memory rows = new Row[](1);
      rows[0] = Row(it.id, uint128(it.amount), it.signature);
      bool many = _pays(escrow, abi.encodeCall(Session.settleMany, (token, rows)));
      verdicts[i] = bytes1((one ? 1 : 0) | (many ? 2 : 0));
    }
  }
  function judgeRaiden(address escrow, Shown[] calldata all) external returns (bytes memory verdicts) {
    verdicts = new bytes(all.length);
    for (uint256 i; i < all.length; ++i) {
      Shown calldata it = all[i];
      if (it.amount > type(uint192).max) continue;
      bool pays = _pays(escrow, abi.encodeCall(Raiden.withdraw, (it.openBlock, uint192(it.amount), it.signature)));
      verdicts[i] = bytes1(pays ? 3 : 0);
    }
  }
  function attempt(address escrow, bytes calldata data) external {
    (bool done, bytes memory answer) = escrow.call(data);
    revert Verdict(done && (answer.length == 0 || abi.decode(answer, (uint256)) != 0));
  }
  function _pays(address escrow, bytes memory data) private returns (bool pays) {
    try this.attempt(escrow, data) {} catch (bytes memory verdict) {
      require(verdict.length == 36, "no verdict");
      pays = verdict[35] != 0;
    }
  }
}`

const shown = '(bytes32 id, uint32 openBlock, uint256 amount, bytes signature)[] all'
const abi = parseAbi([
  `function judgeSession(address escrow, address token, ${shown})`,
  `function judgeRaiden(address escrow, ${shown})`,
])

export async function openJudge(world: LocalChain): Promise<Judge> {
  const account = privateKeyToAccount(world.accounts[8]!.privateKey)
  const address = await deploy(world.anvil.url, account, compile('Judge', source))
  return {
    address,
    async judge(rail, vouchers) {
      const all = vouchers.map(({ block, ...rest }) => ({ openBlock: block, ...rest }))
      const data =
        rail === 'payment'
          ? encodeFunctionData({ abi, functionName: 'judgeSession', args: [world.escrow, world.token, all] })
          : encodeFunctionData({ abi, functionName: 'judgeRaiden', args: [world.raiden, all] })
      const answer = await world.chain.call({ to: address, data })
      const [verdicts] = decodeAbiParameters([{ type: 'bytes' }], answer)
      return [...Buffer.from(verdicts.slice(2), 'hex')].map((bits) => [(bits & 1) !== 0, (bits & 2) !== 0])
    },
  }
}

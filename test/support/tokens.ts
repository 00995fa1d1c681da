/** Real tokens of every kind, compiled from `contracts/test`, some of them behind a proxy as dollar tokens are. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { concat, encodeAbiParameters, encodeFunctionData, parseAbi, type Address, type Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { deploy } from '../../src/chain/deploy.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { PERMIT2 } from '../../src/escrow/session-signed.ts'
import { rpc } from './market.ts'

type Contract = { readonly evm: { readonly bytecode: { readonly object: string } } }
type Output = {
  readonly contracts?: Record<string, Record<string, Contract>>
  readonly errors?: { readonly severity: string; readonly formattedMessage: string }[]
}
type Import = (path: string) => { readonly contents: string } | { readonly error: string }
type Solc = { compile(input: string, callbacks: { readonly import: Import }): string }

/** Tokens that only these tests need. */
const more = `
// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC1363} from "@openzeppelin/contracts/token/ERC20/extensions/ERC1363.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {PlainToken} from "contracts/test/tokens/PlainToken.sol";
import {BothToken} from "contracts/test/tokens/AuthorizationTokens.sol";

contract PermitToken is PlainToken(6), ERC20Permit {
    constructor() ERC20Permit("Permit") {}
    function decimals() public view override(ERC20, PlainToken) returns (uint8) { return PlainToken.decimals(); }
}

/** USDC has it all: ERC-3009 in both forms, a separator of its domain and ERC-2612. */
contract DollarToken is BothToken {
    mapping(address => uint256) public nonces;
    function version() external pure returns (string memory) { return "2"; }
    function DOMAIN_SEPARATOR() external view returns (bytes32) { return _domainSeparatorV4(); }
}

/** Its permit is not the standard's, and it says so. */
contract DaiToken is PlainToken(18) {
    mapping(address => uint256) public nonces;
    bytes32 public constant PERMIT_TYPEHASH = 0xea2aa0a1be11a07ed86d755c93467f4f82362b452371d1ba94d1715123511acb;
    function version() external pure returns (string memory) { return "1"; }
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return keccak256(abi.encode(
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
            keccak256(bytes(name())), keccak256("1"), block.chainid, address(this)
        ));
    }
    function permit(address, address, uint256, uint256, bool, uint8, bytes32, bytes32) external {}
}

/** Looks as if it had ERC-2612, and has not. */
contract PretendingToken is PlainToken(18) {
    mapping(address => uint256) public nonces;
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return keccak256(abi.encode(
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
            keccak256(bytes(name())), keccak256("1"), block.chainid, address(this)
        ));
    }
}

/** A dollar token that blocks whom it is told to block. */
contract BlockingToken is DollarToken {
    error Blocked(address account);
    mapping(address => bool) public blocked;
    function setBlocked(address account, bool value) external { blocked[account] = value; }
    function _update(address from, address to, uint256 value) internal override {
        require(!blocked[from], Blocked(from));
        super._update(from, to, value);
    }
}

/** Says of itself that it is another. */
contract ImpostorToken is PlainToken(6) {
    DollarToken private immutable _OTHER;
    constructor(DollarToken other) { _OTHER = other; }
    function name() public pure override returns (string memory) { return "USD Coin"; }
    function version() external pure returns (string memory) { return "2"; }
    function DOMAIN_SEPARATOR() external view returns (bytes32) { return _OTHER.DOMAIN_SEPARATOR(); }
    function authorizationState(address, bytes32) external pure returns (bool) { return false; }
    function eip712Domain() external view returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory) {
        return _OTHER.eip712Domain();
    }
}

contract NotifyingToken is ERC1363, PlainToken(6) {
    function decimals() public view override(ERC20, PlainToken) returns (uint8) { return PlainToken.decimals(); }
}

contract Proxy is ERC1967Proxy {
    constructor(address to) ERC1967Proxy(to, "") {}
    function _unsafeAllowUninitialized() internal pure override returns (bool) { return true; }
}
`

const files: Readonly<Record<string, string>> = {
  ERC223Token: 'ERC223Token',
  OldERC223Token: 'ERC223Token',
  ERC677Token: 'ERC677Token',
  PlainToken: 'PlainToken',
  SilentToken: 'OddTokens',
  FeeToken: 'OddTokens',
  LazyToken: 'OddTokens',
  BlockListToken: 'OddTokens',
  EtherLikeToken: 'EtherLikeToken',
  SplitToken: 'AuthorizationTokens',
  BothToken: 'AuthorizationTokens',
  BytesToken: 'AuthorizationTokens',
  FeeAuthorizationToken: 'AuthorizationTokens',
}

let compiled: Record<string, Hex> | undefined

/** Creation code by name. Compiled once per test file. */
function codes(): Record<string, Hex> {
  if (compiled) return compiled
  const solc = createRequire(import.meta.url)('solc') as Solc
  const paths = [...new Set(Object.values(files))].map((file) => `contracts/test/tokens/${file}.sol`)
  const wallets = ['contracts/test/Wallets.sol']
  const sources = Object.fromEntries(
    [...paths, ...wallets].map((path) => [path, { content: readFileSync(path, 'utf8') }]),
  )
  const settings = {
    evmVersion: 'cancun',
    outputSelection: Object.fromEntries(
      [...paths, ...wallets, 'more.sol'].map((path) => [path, { '*': ['evm.bytecode.object'] }]),
    ),
  }
  const input = { language: 'Solidity', sources: { ...sources, 'more.sol': { content: more } }, settings }
  const found: Import = (path) => {
    const file = path.startsWith('@') ? `node_modules/${path}` : path
    try {
      return { contents: readFileSync(file, 'utf8') }
    } catch {
      return { error: `${file} is not there` }
    }
  }
  const { contracts = {}, errors = [] } = JSON.parse(solc.compile(JSON.stringify(input), { import: found })) as Output
  const wrong = errors.filter(({ severity }) => severity === 'error')
  if (wrong.length > 0) throw new Error(wrong.map(({ formattedMessage }) => formattedMessage).join('\n'))
  compiled = Object.fromEntries(
    Object.values(contracts).flatMap((file) =>
      Object.entries(file).map(([name, { evm }]): [string, Hex] => [name, `0x${evm.bytecode.object}`]),
    ),
  )
  return compiled
}

/** Puts a contract on the chain. */
export async function deployed(
  world: LocalChain,
  name: string,
  types: readonly string[] = [],
  values: readonly unknown[] = [],
): Promise<Address> {
  const code = codes()[name]
  if (!code) throw new Error(`there is no contract ${name}`)
  const inputs = types.map((type) => ({ type }))
  const creation = concat([code, encodeAbiParameters(inputs, [...values])])
  const address = await deploy(world.anvil.url, privateKeyToAccount(world.accounts[9]!.privateKey), creation)
  return address.toLowerCase() as Address
}

/** A token, `(proxy)` after its name: behind one. */
export async function newToken(world: LocalChain, name: string): Promise<Address> {
  const [contract, proxied] = name.split(' ')
  const needsDecimals = contract === 'PlainToken'
  const token = needsDecimals ? await deployed(world, 'PlainToken', ['uint8'], [6]) : await deployed(world, contract!)
  return proxied ? deployed(world, 'Proxy', ['address'], [token]) : token
}

export async function mint(world: LocalChain, token: Address, to: Address, amount: bigint): Promise<void> {
  const data = encodeFunctionData({
    abi: parseAbi(['function mint(address to, uint256 amount)']),
    args: [to, amount],
  })
  await world.wallet(world.accounts[8]!).send({ to: token, data })
}

/** A 31337 among the bytes: the chain on which the domain was computed. */
const CHAIN_OF_THE_DOMAIN = `7f${(31_337).toString(16).padStart(64, '0')}`

/**
 * The real Permit2, by the bytecode that its authors ship for tests. They deployed it on a chain of the same id as ours
 * at another address: without that id it computes its domain anew, as the real one does after a fork.
 */
export async function putPermit2(world: LocalChain): Promise<void> {
  const source = readFileSync('node_modules/@uniswap/v4-periphery/lib/permit2/test/utils/DeployPermit2.sol', 'utf8')
  const [, code] = /hex"([0-9a-f]+)"/.exec(source) ?? []
  if (!code?.includes(CHAIN_OF_THE_DOMAIN)) throw new Error('this is another Permit2')
  const anew = code.replace(CHAIN_OF_THE_DOMAIN, `7f${'0'.repeat(64)}`)
  await rpc(world, 'anvil_setCode', PERMIT2, `0x${anew}`)
}

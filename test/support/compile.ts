/** Compiles odd contracts that only a test needs, with the project's own compiler. */
import { createRequire } from 'node:module'
import { concat, encodeAbiParameters, type Hex } from 'viem'

type Solc = { compile(input: string): string }
type Output = {
  contracts?: Record<string, Record<string, { evm: { bytecode: { object: string } } }>>
  errors?: { severity: string; formattedMessage: string }[]
}

/** Creation code of the contract `name`, with encoded constructor arguments. */
export function compile(
  name: string,
  source: string,
  types: readonly { type: string }[] = [],
  values: readonly unknown[] = [],
): Hex {
  const solc = createRequire(import.meta.url)('solc') as Solc
  const input = {
    language: 'Solidity',
    sources: { 'odd.sol': { content: `// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n${source}` } },
    settings: { evmVersion: 'cancun', outputSelection: { '*': { '*': ['evm.bytecode.object'] } } },
  }
  const { contracts, errors = [] } = JSON.parse(solc.compile(JSON.stringify(input))) as Output
  const code = contracts?.['odd.sol']?.[name]?.evm.bytecode.object
  if (!code) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join('\n'))
  return concat([`0x${code}`, encodeAbiParameters(types, values)])
}

/** The smallest honest ERC-20; `extra` adds functions. */
export const plainToken = (extra = '') => `
contract Token {
  mapping(address => uint256) public balanceOf;
  mapping(address => mapping(address => uint256)) public allowance;
  function mint(address to, uint256 value) external { balanceOf[to] += value; }
  function approve(address to, uint256 value) external returns (bool) { allowance[msg.sender][to] = value; return true; }
  function transfer(address to, uint256 value) external returns (bool) { _move(msg.sender, to, value); return true; }
  function transferFrom(address from, address to, uint256 value) external returns (bool) {
    allowance[from][msg.sender] -= value; _move(from, to, value); return true;
  }
  function _move(address from, address to, uint256 value) internal { balanceOf[from] -= value; balanceOf[to] += value; }
  ${extra}
}`

/** A wallet that accepts its owner's signature in a form of its own (owner's 65 bytes and one more) while it is willing. */
export const walletSource = `
contract Wallet {
  address immutable owner; bool public willing = true;
  constructor(address owner_) { owner = owner_; }
  function setWilling(bool willing_) external { willing = willing_; }
  function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
    if (!willing || signature.length != 66) return 0xffffffff;
    bytes32 r = bytes32(signature[0:32]); bytes32 s = bytes32(signature[32:64]);
    return ecrecover(digest, uint8(signature[64]), r, s) == owner ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
  }
}`

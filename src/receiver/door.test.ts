import { describe, expect, it } from 'vitest'
import { createDoor } from './door.ts'

const loopTurn = () => new Promise((resolve) => setImmediate(resolve))

describe('the line at the door', () => {
  it('lets few of many through in one turn of the event loop, in their order, and all in the end', async () => {
    const door = createDoor()
    const passed: number[] = []
    const all = Array.from({ length: 100 }, (_, index) => door.turn().then(() => passed.push(index)))
    expect(passed).toEqual([])
    await loopTurn()
    expect(passed).toHaveLength(16)
    await Promise.all(all)
    expect(passed).toEqual(all.map((_, index) => index))
  })

  it('is empty again for whoever comes later', async () => {
    const door = createDoor()
    await Promise.all(Array.from({ length: 40 }, () => door.turn()))
    let hasPassed = false
    void door.turn().then(() => (hasPassed = true))
    await loopTurn()
    expect(hasPassed).toBe(true)
  })

  it('knows a connection by its last payment, and nobody without one', () => {
    const door = createDoor()
    const [one, other] = [{}, {}]
    door.note(one, true)
    door.note(undefined, true)
    expect([one, other, undefined].map(door.wasRefused)).toEqual([true, false, false])
    door.note(one, false)
    expect(door.wasRefused(one)).toBe(false)
  })
})

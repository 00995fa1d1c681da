import { expect, it } from 'vitest'
import { recent } from './recent.ts'

it('keeps the values that were used last', () => {
  const values = recent<string, number>(2)
  values.set('a', 1)
  values.set('b', 2)
  values.get('a')
  values.set('c', 3)
  expect([values.get('a'), values.get('b'), values.get('c')]).toEqual([1, undefined, 3])
})

it('counts a value that is set again once', () => {
  const values = recent<string, number>(2)
  values.set('a', 1)
  for (let i = 0; i < 5; i++) values.set('b', i)
  expect([values.get('a'), values.get('b')]).toEqual([1, 4])
})

it('forgets what it is told to forget', () => {
  const values = recent<string, number>(2)
  values.set('a', 1)
  values.delete('a')
  expect(values.get('a')).toBeUndefined()
})

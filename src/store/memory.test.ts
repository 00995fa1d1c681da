import { storeSuite } from '../../test/support/store-suite.ts'
import { memory } from './memory.ts'

storeSuite('memory()', () => Promise.resolve({ store: memory(), cleanup: () => undefined }))

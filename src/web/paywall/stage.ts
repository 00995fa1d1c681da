/** The one place of the page that changes: what is going on, what has happened, and what can be done. */
import { element, paragraph, type Child } from './elements.ts'
import type { Notice } from './pay.ts'

export type Stage = {
  /** Replaces all that can be done. */
  readonly show: (notice: Notice | undefined, ...children: readonly Child[]) => void
  /** Nothing can be done until this is over. */
  readonly wait: (words: string) => void
  readonly title: (words: string) => void
}

export function createStage(root: HTMLElement, heading: HTMLElement | null): Stage {
  const status = element('div', { role: 'status', 'aria-live': 'polite' })
  const body = element('div', {})
  root.replaceChildren(status, body)
  return {
    show(notice, ...children) {
      status.replaceChildren(...(notice ? [element('p', { class: `notice ${notice.kind}` }, notice.words)] : []))
      body.replaceChildren(...children)
    },
    wait(words) {
      status.replaceChildren(paragraph(element('span', { class: 'spinner', 'aria-hidden': 'true' }), words))
      body.replaceChildren()
    },
    title(words) {
      if (heading) heading.textContent = words
      document.title = words
    },
  }
}

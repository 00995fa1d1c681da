/** Building the page. Text is always text: nothing that comes from outside is read as HTML. */

export type Child = Node | string

export function element<tag extends keyof HTMLElementTagNameMap>(
  tag: tag,
  attributes: Readonly<Record<string, string>>,
  ...children: readonly Child[]
): HTMLElementTagNameMap[tag] {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children)
  return made
}

export function paragraph(...children: readonly Child[]): HTMLElement {
  return element('p', {}, ...children)
}

export function button(label: string, kind: 'main' | 'other', act: () => void): HTMLElement {
  const made = element('button', { type: 'button', class: kind }, label)
  made.addEventListener('click', act)
  return made
}

export function buttons(...children: readonly HTMLElement[]): HTMLElement {
  return element('div', { class: 'buttons' }, ...children)
}

/** Rows of a name and what it is. */
export function facts(...rows: readonly (readonly [name: string, value: Child])[]): HTMLElement {
  const cells = rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)])
  return element('dl', {}, ...cells)
}

/** An address in full for those who compare it, short for those who read. */
export function address(full: string, shown: string): HTMLElement {
  return element('code', { title: full }, shown)
}

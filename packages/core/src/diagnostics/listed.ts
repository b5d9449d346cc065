/** As many names are told in one message. */
const most = 8;

/** Names for a message: the first eight, and how many more there are. */
export function listed(names: readonly string[]): string {
  const more = names.length > most ? ` and ${names.length - most} more` : '';
  return names.slice(0, most).join(', ') + more;
}

// Not `new URL('.', import.meta.url)`, which bundlers take for a file to copy. In a bundle of CommonJS there is no such place.
const here: string | undefined = import.meta.url

/**
 * The folder of the compiled modules. Every file that lies beside them is named from here: the published package has its
 * modules in a few files, in which a module's own place is another.
 */
export const DIST: URL = new URL('.', here ?? 'file:///')

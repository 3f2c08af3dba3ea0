/**
 * The folder of the compiled modules. Every file that lies beside them is named from here: the published package has its
 * modules in a few files, in which a module's own place is another.
 */
export const DIST: URL = new URL('.', import.meta.url)

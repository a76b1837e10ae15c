// Calls a function of a module with JSON, as the sender's runtime does: call.mjs MODULE FUNCTION JSON
import { pathToFileURL } from 'node:url'

const [path, name, argument] = process.argv.slice(2)
const module = await import(pathToFileURL(path))
await (module[name] ?? module.default[name])(JSON.parse(argument), {})

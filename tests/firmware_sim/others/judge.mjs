// What grip-connect's own parsers read in payloads: one JSON object of kinds to hexadecimal strings
// comes in on stdin, one of kinds to what was read goes out. The package's folder is the argument.
import { readFileSync } from "node:fs"
import { pathToFileURL } from "node:url"

const { CTS500, ForceBoard, Motherboard, Progressor } = await import(
  pathToFileURL(`${process.argv[2]}/node_modules/@hangtime/grip-connect/dist/index.js`)
)
const kinds = { progressor: Progressor, "force-board": ForceBoard, cts500: CTS500, motherboard: Motherboard }
const read = {}
for (const [kind, payloads] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  const device = new kinds[kind]()
  device.notify(() => {})
  if (kind === "motherboard") device.writeLast = "C"
  for (const payload of payloads) {
    const bytes = Uint8Array.from(Buffer.from(payload, "hex"))
    device.handleNotifications(new DataView(bytes.buffer))
  }
  read[kind] = device.downloadPackets.map((each) => ({ samples: each.samples, index: each.performance?.sampleIndex ?? each.sampleIndex }))
}
process.stdout.write(`\n${JSON.stringify(read)}`, () => process.exit(0))

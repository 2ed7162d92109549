// Asks the public AsyncAPI parser for what it has against a document: node validate.mjs FILE
import { readFileSync } from "node:fs";
import { DiagnosticSeverity, Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf-8"));
const faults = diagnostics.filter((each) => each.severity <= DiagnosticSeverity.Warning);
for (const fault of faults) {
  console.log(`${fault.code} at ${fault.path.join("/")}: ${fault.message}`);
}
console.log(document ? `${document.allMessages().length} messages` : "no document");
process.exitCode = document && faults.length === 0 ? 0 : 1;

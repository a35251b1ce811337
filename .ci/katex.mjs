// Reads [[place, tex, display], ...] as JSON from stdin; prints "place: message" for every formula that KaTeX refuses
import { createRequire } from 'module';
import { readFileSync } from 'fs';
const katex = createRequire(process.argv[2] + '/')('katex');
for (const [place, tex, display] of JSON.parse(readFileSync(0, 'utf8'))) {
  try { katex.renderToString(tex, { displayMode: display, throwOnError: true, strict: 'ignore' }); }
  catch (e) { console.log(`${place}: ${e.message.split('\n')[0]} in ${tex.replace(/\s+/g, ' ').slice(0, 80)}`); }
}

// One JSON line in, one out: {"language", "data": base64, "width", "height" in dots} -> {"width", "height", "dots": base64, a byte a dot, 1 = black},
// or for ZPL {"png": base64}. The dots are what the renderers say, without a hand of ours.
const readline = require("node:readline");
const npos = require("npos");
const { ready } = require("zpl-renderer-js");

const DOTS_PER_MM = 8;

async function escpos(bytes) {
  const tree = await npos.parser().parse(bytes);
  const images = tree.entries.filter((entry) => entry.type === "raster").map((entry) => entry.data);
  if (images.length !== 1) throw new Error(`${images.length} images`);
  const [image] = images;
  const dots = Buffer.alloc(image.width * image.height);
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < image.width; x++) dots[y * image.width + x] = image.getPixel(x, y) === 0 ? 1 : 0; // 0 is its black
  }
  return { width: image.width, height: image.height, dots: dots.toString("base64") };
}

async function zpl(bytes, width, height) {
  const { api } = await ready;
  return { png: await api.zplToBase64Async(bytes.toString("latin1"), width / DOTS_PER_MM, height / DOTS_PER_MM, DOTS_PER_MM) };
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { language, data, width, height } = JSON.parse(line);
    const bytes = Buffer.from(data, "base64");
    const seen = language === "zpl" ? await zpl(bytes, width, height) : await escpos(bytes);
    process.stdout.write(JSON.stringify(seen) + "\n");
  }
  process.exit(0); // the renderer's own runtime never ends
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});

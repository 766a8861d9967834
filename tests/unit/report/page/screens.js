// Opens a page in Chromium once for each screen that it is told of, takes a picture, and prints as JSON what it found.
// node screens.js PLAYWRIGHT CHROMIUM PAGE DIRECTORY SCREENS
const [playwright, executablePath, page, directory, screens] = process.argv.slice(2);
const { chromium } = require(playwright);
const args = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

async function look(browser, screen) {
  const { width, height, colorScheme, scripts } = screen;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, javaScriptEnabled: scripts });
  const tab = await context.newPage();
  const said = [];
  const asked = [];
  tab.on("console", (message) => said.push(message.text()));
  tab.on("pageerror", (error) => said.push(String(error)));
  tab.on("request", (request) => asked.push(request.url().split("/").pop()));
  await tab.goto(`file://${page}`);
  await tab.screenshot({ path: `${directory}/${screen.name}.png` });
  const rows = tab.locator("#files tbody tr a");
  const visible = async () => (await rows.all()).length && (await rows.locator("visible=true").count());
  const found = {
    wide: await tab.evaluate("document.documentElement.scrollWidth"),
    background: await tab.evaluate("getComputedStyle(document.body).backgroundColor"),
    search: await tab.locator("#q").isVisible(),
    rows: await visible(),
  };
  if (found.search) {
    await tab.locator("#q").focus();
    await tab.keyboard.type("cloudflare");
    found.found = await visible();
  }
  await context.close();
  return { ...found, said, asked };
}

(async () => {
  const browser = await chromium.launch({ executablePath, args, chromiumSandbox: false });
  const told = {};
  for (const screen of JSON.parse(screens)) {
    told[screen.name] = await look(browser, screen);
  }
  await browser.close();
  process.stdout.write(JSON.stringify(told));
})();

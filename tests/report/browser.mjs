// SPDX-License-Identifier: LGPL-2.1-or-later
// usage: browser.mjs PAGE REPORT DIRECTORY     opens PAGE and holds it against REPORT; pictures go to DIRECTORY
import { createRequire } from 'node:module';
import { readFileSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const { chromium } = createRequire(import.meta.url)(process.env.PLAYWRIGHT);
const [page_path, report_path, pictures] = process.argv.slice(2);
const report = JSON.parse(readFileSync(report_path));
let number = 0, failed = 0;

const check = (name, good, why = '') => {
	console.log(`${good ? 'ok' : 'not ok'} ${++number} - ${name}`);
	if (!good) {
		failed++;
		console.log(`# ${JSON.stringify(why)}`);
	}
};

const browser = await chromium.launch({ executablePath: process.env.BROWSER, args: ['--no-sandbox'] });
try {
	const page = await browser.newPage({ viewport: { width: 1200, height: 900 }, colorScheme: 'light' });
	const requests = [], said = [];
	page.on('request', request => requests.push(request.url()));
	page.on('console', message => said.push(message.text()));
	page.on('pageerror', error => said.push(String(error)));
	page.on('dialog', dialog => { said.push(dialog.message()); dialog.dismiss(); });
	await page.goto(pathToFileURL(page_path).href);

	check('it is under 500 KB', statSync(page_path).size < 500000, statSync(page_path).size);
	check('its title is ours', await page.title() === 'moorage compare', await page.title());

	const charts = await page.$$eval('svg[data-metric]', list => list.map(svg => ({
		id: svg.dataset.metric, role: svg.getAttribute('role'), label: document.getElementById(svg.getAttribute('aria-labelledby'))?.textContent ?? '',
		subjects: [...svg.querySelectorAll('g')].map(g => ({
			name: g.querySelector('title').textContent.replace(/: [^:]*$/, ''),
			dots: (g.querySelector('.d').getAttribute('d').match(/M/g) ?? []).length,
			inside: [...g.querySelectorAll('.b,.m,.w')].every(e => { const b = e.getBBox(), v = svg.viewBox.baseVal; return b.x >= 0 && b.x + b.width <= v.width && b.y + b.height <= v.height; }),
		})),
	})));
	const wanted = report.metrics.map(metric => ({ id: metric.id, names: Object.keys(metric.of), samples: Object.values(metric.of).map(of => of.samples.length) }));
	check('there is a chart for each metric', JSON.stringify(charts.map(c => c.id)) === JSON.stringify(wanted.map(w => w.id)), charts.map(c => c.id));
	const wrong = wanted.filter((w, i) => JSON.stringify(charts[i]?.subjects.map(s => s.name).sort()) !== JSON.stringify([...w.names].sort()));
	check('each has its subjects', wrong.length === 0, wrong);
	check('each subject has a dot for each sample', wanted.every((w, i) =>
		charts[i].subjects.every(s => s.dots === w.samples[w.names.indexOf(s.name)])), charts.map(c => c.subjects));
	check('boxes are inside of their charts', charts.every(c => c.subjects.every(s => s.inside)));
	check('each has a text in its place', charts.every(c => c.role === 'img' && c.label.length > 20));
	check('each has its numbers as a table', await page.$$eval('svg[data-metric]', list => list.every(svg =>
		svg.nextElementSibling.querySelectorAll('tbody tr').length === svg.querySelectorAll('g').length)));
	check('every row of the matrix is there', await page.$$eval('td[class^=l]', list => list.length) === report.matrix.length * (report.subjects.length - 1));

	const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const light = await background();
	await page.screenshot({ path: `${pictures}/report-light.png`, fullPage: true });
	await page.emulateMedia({ colorScheme: 'dark' });
	check('dark is another colour', await background() !== light, light);
	await page.screenshot({ path: `${pictures}/report-dark.png`, fullPage: true });
	await page.emulateMedia({ media: 'print', colorScheme: 'light' });
	check('it prints', (await page.pdf({ path: `${pictures}/report.pdf`, format: 'A4' })).length > 10000);
	await page.emulateMedia({ media: 'screen' });
	await page.setViewportSize({ width: 400, height: 800 });
	check('a narrow window has no bar below', await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth),
		await page.evaluate(() => document.documentElement.scrollWidth));

	check('it asks for nothing', requests.filter(url => !url.startsWith('data:')).length === 1, requests);
	check('it says nothing', said.length === 0, said);
} finally {
	await browser.close();
}
console.log(`1..${number}`);
process.exitCode = failed ? 1 : 0;

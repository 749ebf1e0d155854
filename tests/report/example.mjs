// SPDX-License-Identifier: LGPL-2.1-or-later
// A report in which every metric has samples and every section rows, on standard output; one without any on standard input. Names are hostile.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(0));
const hostile = `</title><script>document.title='taken'</script><img src=x onerror=alert(1)>"'&`;
const names = ['host', 'native', 'chroot', 'lxc', 'nspawn', hostile];

report.host = hostile;
report.runs = 20;
report.subjects = names.map((name, i) => ({ kind: i === 0 ? 'host' : i === 5 ? 'tool' : 'backend', name, engine: '1', reason: i === 5 ? hostile : null, command: hostile }));
report.metrics.forEach((metric, m) => {
	metric.of = {};
	names.forEach((name, i) => {
		// Not everybody has everything.
		if ((m + i) % 7 !== 3)
			metric.of[name] = { samples: Array.from({ length: i === 1 ? 1 : 20 }, (_, k) => (i + 1) * 10 ** (m % 5) * (1 + (k * 37 % 20) / 50)) };
	});
});
for (const section of ['isolation', 'features', 'limits'])
	for (let row = 0; row < 40; row++)
		report.matrix.push({ section, name: `${section} ${row} ${row % 10 ? '' : hostile}`, of: Object.fromEntries(names.slice(1).map((name, i) =>
			[name, { text: row % 9 ? 'its own' : hostile, level: row % 2 ? 0 : i % 3, exposure: i }])) });
report.warnings.push(hostile);
process.stdout.write(JSON.stringify(report));

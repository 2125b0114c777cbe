// How the HTML looks, on screens light and dark and on paper. Constant: the page's policy names its digest, so nothing of a document may ever come in here.
import { palettes } from './palette.js';

const toVariables = (colours: Readonly<Record<string, string>>): string =>
  Object.entries(colours).map(([name, value]) => `--${name}:${value}`).join(';'); // prettier-ignore

const INKS = ['text', 'muted', 'gap', 'alert', 'rest'].map((ink) => [ink, ink]);
const SERIES = [1, 2, 3, 4, 5, 6].map((number) => [`series-${number}`, `s${number}`]);
const inks = [...INKS, ...SERIES, ['axis', 'muted'], ['grid', 'line']]
  .map(([ink, colour]) => `.fill-${ink}{fill:var(--${colour})}.line-${ink}{stroke:var(--${colour})}`)
  .join('');

export const style = `:root{color-scheme:light dark;${toVariables(palettes.light)}}
@media screen and (prefers-color-scheme:dark){:root{${toVariables(palettes.dark)}}}
*{box-sizing:border-box}
html{font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;color:var(--text);background:var(--page);-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:2.5rem clamp(1rem,4vw,3rem) 4rem;max-width:72rem}
a{color:var(--link);text-underline-offset:.15em}
a:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-100vw}.skip:focus{left:1rem;top:1rem;background:var(--page);padding:.5rem 1rem;z-index:1}
h1,h2,h3,h4{line-height:1.25;text-wrap:balance;overflow-wrap:anywhere}
h1{font-size:2.1rem;margin:.25rem 0 .35rem;letter-spacing:-.015em}
h2{font-size:1.4rem;margin:3.25rem 0 .75rem;padding-top:1rem;border-top:2px solid var(--text)}
h3{font-size:1.13rem;margin:2.25rem 0 .5rem}
h4{font-size:1rem;margin:1.75rem 0 .4rem}
.no{color:var(--muted);font-weight:500;margin-right:.6em;font-variant-numeric:tabular-nums}
p{margin:.6rem 0;max-width:46rem;overflow-wrap:anywhere}
.kicker{color:var(--muted);font-size:.82rem;letter-spacing:.06em;text-transform:uppercase;margin:0}
.subtitle{font-size:1.12rem;color:var(--muted);margin:0 0 1.1rem}
.period{font-size:1rem;font-variant-numeric:tabular-nums;margin:0 0 1.5rem}
dl{display:grid;grid-template-columns:minmax(9rem,15rem) minmax(0,1fr) max-content;margin:1rem 0;border-top:1px solid var(--line);font-size:.94rem}
.row{display:grid;grid-template-columns:subgrid;grid-column:1/-1;border-bottom:1px solid var(--line);padding:.45rem 0;column-gap:1.25rem;align-items:baseline}
dt{color:var(--muted)}dd{margin:0;overflow-wrap:anywhere;white-space:pre-line;unicode-bidi:isolate}dd.how{font-size:.85rem;text-align:left}
.log{color:var(--muted);font-size:.82rem;margin-left:.6em;font-variant-numeric:tabular-nums}
.mark{white-space:nowrap;font-weight:500}.mark i{font-style:normal;display:inline-block;width:1.25em}
.good{color:var(--good)}.bad{color:var(--bad);font-weight:700}.open{color:var(--open)}
.none{color:var(--muted);font-style:italic}
.notice{border-left:4px solid var(--muted);background:var(--soft);padding:.7rem 1rem;margin:1rem 0;max-width:none}
.notice p{margin:.2rem 0;max-width:60rem}.notice strong{display:block}
.warning{border-color:var(--open);background:var(--warn)}.broken{border-color:var(--bad);background:var(--broken);border-left-width:8px}
.broken strong{color:var(--bad);font-size:1.1rem}
.scroll{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;width:100%;font-size:.88rem;line-height:1.4}
caption{text-align:left;font-weight:600;font-size:.94rem;padding:0 0 .45rem}
th,td{text-align:left;vertical-align:top;padding:.42rem .9rem .42rem 0;border-bottom:1px solid var(--line);overflow-wrap:break-word;unicode-bidi:isolate}
td{white-space:pre-line}
thead th{font-weight:600;border-bottom:1.5px solid var(--text);vertical-align:bottom}
.number{text-align:right;font-variant-numeric:tabular-nums;padding-right:1.4rem}
.time{font-variant-numeric:tabular-nums}.time span{white-space:nowrap}
.short{white-space:nowrap}td.long{min-width:15.5rem}
td.id{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.93em;overflow-wrap:anywhere}
.rest{color:var(--muted);font-size:.88rem;margin:-.4rem 0 1rem}
figure{max-width:54rem;margin:1.5rem 0;padding:1.1rem 1.25rem 1rem;border:1px solid var(--line);border-radius:6px}
figcaption{font-weight:600;margin:0 0 .7rem}
svg{display:block;width:100%;max-width:48rem;height:auto;font-family:inherit}
${inks}
.numbers{max-height:15rem;overflow:auto;margin:.9rem 0 0;border-top:1px solid var(--line)}
.numbers table{font-size:.82rem}.numbers th{font-weight:400}.numbers thead th{font-weight:600}.numbers thead th{position:sticky;top:0;background:var(--page)}.numbers th,.numbers td{padding-top:.25rem;padding-bottom:.25rem}
nav{margin:2.5rem 0 0}nav h2{font-size:1.05rem;border:0;margin:0 0 .5rem;padding:0}
nav ol{list-style:none;margin:0;padding:0;columns:2 22rem;column-gap:3rem}nav ol ol{columns:auto;padding-left:1.6rem}nav li{break-inside:avoid;margin:.2rem 0}
footer{margin-top:4rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--muted);font-size:.85rem}
@media (max-width:42rem){dl{grid-template-columns:minmax(0,1fr) max-content}dt{grid-column:1/-1}}
@page{size:A4;margin:17mm 16mm 18mm}
@media print{
html{font-size:9pt;font-family:"DejaVu Sans",system-ui,sans-serif;-webkit-print-color-adjust:exact;print-color-adjust:exact}
body{padding:0;max-width:none}
.skip{display:none}a{color:inherit;text-decoration:none}
main{break-before:page}
main>section:first-child>h2{margin-top:0}
h2,h3,h4,caption,figcaption{break-after:avoid}
thead{display:table-header-group}tr,.row,.notice,svg{break-inside:avoid}figure{break-inside:auto}
.scroll,.numbers{overflow:visible;max-height:none}.numbers thead th{position:static}
.many{columns:3 10rem;column-gap:2rem}
p{orphans:3;widows:3}
}
`;

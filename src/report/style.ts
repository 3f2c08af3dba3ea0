/** Hues that stay apart for people who see few of them, each with its twin for dark pages; names stand beside every line. */
const HUES = [
  ['#2a78d6', '#4a95e8'],
  ['#128a65', '#1fa87c'],
  ['#b26a00', '#d08e1a'],
  ['#5b49c4', '#9c90ea'],
  ['#d03a3d', '#e97070'],
  ['#3f7d0e', '#6fae3a'],
  ['#c2487f', '#de6aa0'],
  ['#c9551f', '#e37643'],
] as const

/** The look of a stage by its place in the pipeline, the same in every chart: beyond the hues dashes tell them apart. */
export function lookOf(stage: number): string {
  return `hue${Math.max(stage, 0) % HUES.length}${stage < HUES.length ? '' : ' again'}`
}

const hues = (of: 0 | 1) => HUES.map((pair, i) => `--hue${i}:${pair[of]}`).join(';')
const LIGHT = `--page:#f7f7f4;--card:#fff;--ink:#14140f;--soft:#55544e;--faint:#6f6e67;--rule:#dddcd4;--grid:#ebeae4;--good:#0a7a2f;--bad:#c22f2f;${hues(0)}`
const DARK = `--page:#101110;--card:#191a19;--ink:#f4f4ef;--soft:#c3c2b9;--faint:#96958c;--rule:#393a37;--grid:#2a2b29;--good:#4cc26e;--bad:#f07a74;${hues(1)}`

export const STYLE: string = `
:root{color-scheme:light dark;${LIGHT}}
@media(prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1180px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:26px;line-height:1.2;margin:0;overflow-wrap:anywhere}
h2{font-size:17px;margin:0 0 2px}
p{margin:0 0 12px;color:var(--soft);max-width:96ch;overflow-wrap:anywhere}
header p{margin:4px 0 20px;color:var(--faint)}
.tiles{display:flex;flex-wrap:wrap;gap:1px;background:var(--rule);border:1px solid var(--rule);border-radius:10px;overflow:hidden;margin:0}
.tiles div{flex:1 1 200px;background:var(--card);padding:12px 16px;min-width:0}
.tiles dt{font-size:13px;color:var(--faint)}
.tiles dd{margin:0;font-size:22px;line-height:1.3;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.tiles small{display:block;font-size:13px;color:var(--soft)}
.good{color:var(--good)}.bad{color:var(--bad)}
section{margin-top:20px;background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:18px 20px 20px}
svg{display:block;width:100%;height:auto}
svg text{font-size:12px;fill:var(--faint)}
.narrow{display:none}
.end{text-anchor:end}.middle{text-anchor:middle}
.grid{stroke:var(--grid);fill:none}.axis{stroke:var(--rule);fill:none}
.series .line{fill:none;stroke-width:1.75;stroke-linejoin:round}
.series .leader{fill:none;stroke:var(--grid)}
.series .mark{stroke:var(--card);stroke-width:1}.series .hidden{visibility:hidden}
svg .name{fill:var(--ink)}
.again .line{stroke-dasharray:6 3}
.whole{--look:var(--ink)}.whole .line{stroke-width:2.5}
.aside{--look:var(--faint)}.aside .line{stroke-dasharray:2 3}.wait .line{stroke-dasharray:7 4}
${HUES.map((_, i) => `.hue${i}{--look:var(--hue${i})}`).join('')}
.line{stroke:var(--look);fill:none}.mark,.area{fill:var(--look)}.area{opacity:.13}
.series:hover .line{stroke-width:3.5}
.smalls{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(300px,100%),1fr));gap:18px 28px}
.small{margin:0;min-width:0}.small .line{stroke-width:1.5;stroke-linejoin:round}
figcaption{display:flex;gap:12px;justify-content:space-between;align-items:baseline}
.title{font-weight:600;min-width:0;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}.title::before{content:"";display:inline-block;width:10px;height:3px;margin-right:7px;vertical-align:middle;background:var(--look)}
.figure{color:var(--soft);font-size:13px;white-space:nowrap;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto;margin:10px -4px 0;padding:0 4px}
.scroll+h2,.scroll+p{margin-top:22px}
table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums;min-width:100%}
th,td{padding:5px 0 5px 20px;border-bottom:1px solid var(--grid);text-align:right;white-space:nowrap;vertical-align:top}
thead th{font-weight:400;color:var(--faint);font-size:13px;border-color:var(--rule)}
tr>:first-child{padding-left:0;text-align:left}
tbody th{font-weight:600;max-width:340px;white-space:normal;overflow-wrap:anywhere;min-width:110px}.texts tbody th{min-width:0}
tr>:first-child{position:sticky;left:0;background:var(--card)}
tbody tr:last-child>*{border-bottom:0}
.texts th,.texts td{text-align:left;overflow-wrap:anywhere}.texts td:nth-child(2){white-space:normal;min-width:150px}.texts td:last-child{white-space:normal;min-width:260px}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(180px,1fr));gap:12px 24px;margin:10px 0 0}
.facts dt{font-size:13px;color:var(--faint)}.facts dd{margin:0;overflow-wrap:anywhere}
ul{margin:4px 0 0;padding-left:20px;overflow-wrap:anywhere}
@media(max-width:860px){
.wide{display:none}.narrow{display:block;max-width:560px;margin:0 auto}
main{padding:20px 12px 40px}section{padding:14px 12px 16px}
.tiles div{flex-basis:140px;padding:10px 12px}.tiles dd{font-size:19px}
}
@media(max-width:560px){
table,tbody{display:block}thead{display:none}
tbody tr{display:grid;grid-template-columns:repeat(auto-fill,minmax(76px,1fr));gap:6px 10px;padding:8px 0 10px;border-bottom:1px solid var(--grid)}
tbody tr:last-child{border-bottom:0}
tbody th,tbody td{border:0;padding:0;text-align:left;min-width:0;max-width:none}
tbody th{grid-column:1/-1}
tbody td{overflow-wrap:anywhere;white-space:normal}.texts td:nth-child(2),.texts td:last-child{grid-column:1/-1;min-width:0}
tbody td:empty{display:none}
tbody td::before{content:attr(data-head);display:block;font-size:12px;color:var(--faint)}
}
@media print{body{background:none}section{break-inside:avoid}}
`

/** The page's only style sheet: light and dark by the reader's setting, one column under 760 px, plain on paper. */
export const style = `
:root{color-scheme:light dark;--bg:#fbfaf8;--card:#fff;--ink:#1c1b1a;--soft:#5d5a55;--line:#e3dfd8;--grid:#ece8e1;--accent:#0b6e63;
--baseline:#6b7280;--system_prompt:#b25d00;--adapter:#0b7a6e;--wrong_adapter:#7a3fd0;--other:#2563a8;--warn-bg:#fff3d1;--warn-ink:#5c4300;--warn-line:#e2b93b;
--good-bg:#dff3ee;--good-ink:#07554c;--bad-bg:#fbe3e0;--bad-ink:#8c1d12;--mute-bg:#eeebe5;--mute-ink:#4c4944;--user:#f1eee8}
@media (prefers-color-scheme:dark){:root{--bg:#151413;--card:#1e1d1b;--ink:#f0ede8;--soft:#aaa59c;--line:#35322e;--grid:#2b2926;--accent:#4fd1bf;
--baseline:#a3aab5;--system_prompt:#f0a04b;--adapter:#3ecfbb;--wrong_adapter:#b794f6;--other:#7db3f0;--warn-bg:#3a2f10;--warn-ink:#ffe29a;--warn-line:#8a6d1b;
--good-bg:#0f3630;--good-ink:#8ce8d8;--bad-bg:#45201b;--bad-ink:#ffb4a8;--mute-bg:#2d2a27;--mute-ink:#c9c4bb;--user:#2a2825}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main,header.top{max-width:1140px;margin:0 auto;padding:0 24px}
header.top{padding-top:40px}
.brand{font-size:.8rem;letter-spacing:.14em;text-transform:uppercase;color:var(--accent);font-weight:700}
h1{font-size:2.1rem;line-height:1.15;margin:.2em 0 .3em;overflow-wrap:anywhere}
h2{font-size:1.35rem;margin:0 0 .3em;line-height:1.25}
h3{font-size:1.05rem;margin:0 0 .5em}
p{margin:.4em 0 .9em;max-width:75ch}
.meta{color:var(--soft);font-size:.9rem;max-width:none}
.meta span{margin-right:1.2em;display:inline-block}
code,.mono{font:.86em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
nav{margin:18px 0 0;display:flex;flex-wrap:wrap;gap:6px 16px;font-size:.9rem;border-top:1px solid var(--line);padding-top:12px}
a{color:var(--accent)}nav a{text-decoration:none}nav a:hover{text-decoration:underline}
section{margin:44px 0 0;scroll-margin-top:12px}
.lead{color:var(--soft)}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:20px}
.grid{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px}
.banner{background:var(--warn-bg);color:var(--warn-ink);border:1px solid var(--warn-line);border-left-width:6px;border-radius:8px;padding:12px 16px;margin:18px 0 0}
.banner b{display:block}
.hero{display:grid;grid-template-columns:minmax(0,1.15fr) minmax(0,1fr);gap:28px;align-items:start;margin-top:22px}
.big{font-size:3.6rem;line-height:1;font-weight:750;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.big.none{font-size:2rem;color:var(--soft)}
.big+p{font-size:1.05rem;margin-top:.5em}
.facts{display:grid;grid-template-columns:auto 1fr;gap:6px 16px;margin:0;font-size:.95rem}
.facts dt{color:var(--soft)}.facts dd{margin:0;font-variant-numeric:tabular-nums}
.note{color:var(--soft);font-size:.9em}
.verdicts{list-style:none;margin:14px 0 0;padding:10px 0 0;border-top:1px solid var(--line);font-size:.92rem}
.verdicts li{display:flex;justify-content:space-between;align-items:baseline;gap:12px;padding:3px 0}
.chip{display:inline-block;border-radius:999px;padding:2px 10px;font-size:.82rem;font-weight:650;background:var(--mute-bg);color:var(--mute-ink);white-space:nowrap}
.chip.good{background:var(--good-bg);color:var(--good-ink)}.chip.bad{background:var(--bad-bg);color:var(--bad-ink)}
.reasons{margin:.5em 0 0;padding-left:1.1em;font-size:.92rem;color:var(--soft)}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:.88rem;margin:.2em 0 1em;padding:0;list-style:none}
.legend li{display:flex;align-items:center;gap:7px}.legend svg{width:26px;height:12px;flex:none}
.scroll{overflow-x:auto;margin:.6em 0;max-width:100%}
table{border-collapse:collapse;width:100%;font-size:.88rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);font-size:.85rem;padding:0 0 6px}
th,td{padding:6px 10px;text-align:right;border-bottom:1px solid var(--line);vertical-align:top}
thead th{font-weight:600;color:var(--soft);vertical-align:bottom;border-bottom-color:var(--soft)}
th[scope=row],.left{text-align:left}th[scope=row]{font-weight:500}tr.group~tr th[scope=row]{min-width:8.6em}tr.group th{border-bottom:0;padding:14px 0 2px;font-weight:650}tr.group span{position:sticky;left:0;padding:0 10px}
td .ci,dd .ci,.ci{color:var(--soft);font-weight:400;white-space:nowrap;font-size:.93em}
.none{color:var(--soft)}.why{font-size:.9em}td .why{display:block;max-width:24ch;margin-left:auto}td .sep{display:none}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{fill:var(--soft);font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
svg .strong{fill:var(--ink);font-weight:600;paint-order:stroke;stroke:var(--card);stroke-width:3px}
.axis{stroke:var(--grid);stroke-width:1}.zero{stroke:var(--soft);stroke-width:1}.desired{stroke:var(--ink);stroke-width:2.5}
.bars{display:grid;grid-template-columns:minmax(86px,auto) minmax(0,1fr) auto;gap:5px 10px;align-items:center;font-size:.88rem}
.bars .num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.bars svg{height:20px}.bars .foot{color:var(--soft);font-size:.78rem;display:flex;justify-content:space-between}
.hist{display:grid;grid-template-columns:minmax(80px,auto) repeat(3,minmax(0,1fr));gap:6px 10px;align-items:end;font-size:.85rem}
.hist .h{color:var(--soft);font-size:.8rem}.hist svg{height:38px}
.hist .foot{color:var(--soft);font-size:.72rem;display:flex;justify-content:space-between;border-top:1px solid var(--line)}
.stack{display:flex;height:16px;border-radius:5px;overflow:hidden;background:var(--grid);margin:4px 0 2px}
.stack i{display:block;height:100%}.stack .kept{background:var(--adapter)}.stack .dropped{background:var(--system_prompt)}
details{margin:.6em 0}summary{cursor:pointer;font-weight:600}summary:hover{color:var(--accent)}
.talks{display:grid;grid-template-columns:repeat(var(--n),minmax(0,1fr));gap:14px;margin-top:12px}
.talk{border-top:3px solid var(--c);padding-top:8px;min-width:0}
.talk h4{margin:0 0 8px;font-size:.9rem;color:var(--c)}
.said{border-radius:10px;padding:8px 10px;margin:0 0 8px;font-size:.86rem;line-height:1.45;overflow-wrap:anywhere;white-space:pre-wrap}
.said.user{background:var(--user);margin-right:8%}.said.reply{border:1px solid var(--line);margin-left:8%}
.said small{display:block;color:var(--soft);font-size:.76rem;margin-top:4px;font-variant-numeric:tabular-nums;white-space:normal}
.who{color:var(--soft);font-size:.9rem}
footer{max-width:1140px;margin:50px auto 40px;padding:0 24px;color:var(--soft);font-size:.85rem}
@media (max-width:1000px){.talks{grid-template-columns:repeat(2,minmax(0,1fr))}}
@media (max-width:760px){body{font-size:15px}main,header.top,footer{padding-left:16px;padding-right:16px}header.top{padding-top:24px}h1{font-size:1.6rem}
.grid,.hero{grid-template-columns:minmax(0,1fr)}.card{padding:16px 14px}.big{font-size:2.9rem}section{margin-top:34px}
.talks{grid-template-columns:minmax(0,1fr)}.bars{grid-template-columns:1fr auto;grid-auto-flow:dense;gap:2px 8px;font-size:.88rem}.bars>span:empty{display:none}.bars svg,.bars .foot{grid-column:1/-1;margin-bottom:5px}th,td{padding:6px 8px}
th[scope=row]{position:sticky;left:0;background:var(--card);z-index:1}}
@media print{:root{color-scheme:light}body{background:#fff;font-size:11pt}nav{display:none}.card{break-inside:avoid;border-color:#ccc}section{margin-top:22pt}
.grid{grid-template-columns:minmax(0,1fr)}.card svg[viewBox="0 0 440 226"]{max-width:420px}.scroll{overflow:visible}table{font-size:8pt}th,td{padding:3px 5px}tr.group~tr th[scope=row]{min-width:0}.talks{grid-template-columns:repeat(2,minmax(0,1fr))}details::details-content{content-visibility:visible;block-size:auto}a{color:inherit}}
`;

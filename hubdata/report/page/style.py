"""How a status page looks, and the few lines that act in it. Constant, so that their digests are.

Without the script everything is there: it adds the search, and it takes back what time has overtaken. A page is
written once and read for long; a job that was fresh when it was written may not be any more.
"""

from hubdata.report.html import PALETTE

CSS = PALETTE + (
    """
:root{--card:#f6f8fa;--focus:#0a5dc2}
@media(prefers-color-scheme:dark){:root{--card:#161b22;--focus:#6cb0ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
header,main,footer{margin:0 auto;padding:0 1rem;max-width:80rem}
header{padding-top:1.5rem}footer{padding:1.5rem 1rem 3rem;color:var(--soft)}
h1{font-size:1.6rem;margin:0 0 .5rem}h2{font-size:1.2rem;margin:2.5rem 0 .5rem;scroll-margin-top:1rem}
h3{font-size:1rem;margin:0 0 .25rem;overflow-wrap:anywhere}p{margin:.25rem 0}
a{color:var(--bar)}a:focus-visible,input:focus-visible,[tabindex]:focus-visible{
outline:3px solid var(--focus);outline-offset:2px}
.skip{position:absolute;left:-99rem}.skip:focus{position:static}
nav ul,.legend,.said{list-style:none;padding:0;margin:.5rem 0}
nav ul,.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem}
.legend svg{vertical-align:-2px;margin-right:.4rem}
.said li{margin:.3rem 0;padding:.4rem .8rem;border-left:.4rem solid var(--line);background:var(--card);font-size:1.1rem}
.said .good{border-color:var(--gained)}.said .doubtful{border-color:var(--changed)}.said .bad{border-color:var(--lost)}
.said strong,.badge,time{white-space:nowrap}
.good strong,.badge.good,.gained{color:var(--gained);fill:var(--gained)}
.doubtful strong,.badge.doubtful,.changed{color:var(--changed);fill:var(--changed)}
.bad strong,.badge.bad,.lost{color:var(--lost);fill:var(--lost)}
.still{fill:var(--soft)}.soft{color:var(--soft)}.badge{font-weight:600}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(20rem,100%),1fr));gap:.75rem}
.cards{align-items:start}
.cards>*{margin:0;padding:.75rem 1rem;border:1px solid var(--line);border-radius:.4rem;background:var(--card)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem .9rem;margin:.5rem 0 0}dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);padding:.25rem 0}
th,td{padding:.25rem 1rem .25rem 0;text-align:left;vertical-align:top}
thead th{border-bottom:1px solid var(--line);white-space:nowrap}tbody th{font-weight:400}
tbody tr{border-top:1px solid var(--line)}
#files{font-size:.875rem}#files td{white-space:nowrap}#files td,#files th{padding-right:.75rem}
#files tr>:nth-child(n+4):nth-child(-n+7){text-align:right}
#files tbody th{overflow-wrap:anywhere;min-width:min(18rem,55vw)}#files th[colspan]{padding-top:1rem;font-weight:600}
code{font-size:.9em;overflow-wrap:anywhere}
#files code{display:block;width:12ch;overflow:hidden;text-overflow:ellipsis;user-select:all}
#search{margin:.75rem 0}input{font:inherit;width:min(30rem,100%);padding:.4rem .6rem;color:var(--ink);"""
    """background:var(--page);border:1px solid var(--soft);border-radius:.3rem}label{display:block}
figure svg{display:block;width:100%;height:auto}figure p{color:var(--soft);font-size:.9rem}
figcaption{overflow-wrap:anywhere;margin-bottom:.25rem}
.line{fill:none;stroke:var(--bar);stroke-width:2;vector-effect:non-scaling-stroke}
.runs{display:block;max-width:none}.runs text{fill:var(--ink);font-size:13px}
[hidden]{display:none!important}
@media print{.skip,nav,#search{display:none}#files code{width:auto;overflow:visible}}
"""
)

SCRIPT = """
(()=>{'use strict';
const d=document,q=d.getElementById('q');
for(const e of d.querySelectorAll('[data-until]'))if(Date.now()>Date.parse(e.dataset.until)){
e.className='badge doubtful';e.textContent=e.dataset.late;d.getElementById('late').hidden=false;
for(const g of d.querySelectorAll('.said .good'))g.hidden=true}
if(!q)return;
const out=d.getElementById('found'),groups=[...d.querySelectorAll('#files tbody')].map(b=>{
const [h,...r]=b.rows;return{b,r:r.map(e=>({e,t:(h.textContent+e.textContent).toLowerCase()}))}});
const all=groups.reduce((n,g)=>n+g.r.length,0);
d.getElementById('search').hidden=false;
const find=()=>{const w=q.value.toLowerCase().split(/\\s+/).filter(Boolean);let n=0;
for(const g of groups){let m=0;for(const r of g.r){const ok=w.every(x=>r.t.includes(x));r.e.hidden=!ok;m+=ok}
g.b.hidden=!m;n+=m}
out.textContent=w.length?n+' of '+all+' files':''};
q.addEventListener('input',find);find();
})();
"""

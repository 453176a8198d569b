import { benchDecisions } from './zz-scale.ts'; for (let i=0;i<3;i++) { const r = benchDecisions(); console.log(r.ours, r.reference); }

/** Search attributes, registered at every start of the dev stack; names are shown in the Temporal UI. */
export const searchAttributes = {
  experiment: { name: "AttuneExperiment", type: "KEYWORD" },
  stage: { name: "AttuneStage", type: "KEYWORD" },
  context: { name: "AttuneContext", type: "KEYWORD" },
  backbone: { name: "AttuneBackbone", type: "KEYWORD" },
  holdReason: { name: "AttuneHoldReason", type: "KEYWORD" },
  owner: { name: "AttuneOwner", type: "KEYWORD" },
  done: { name: "AttuneDone", type: "INT" },
  total: { name: "AttuneTotal", type: "INT" },
  cost: { name: "AttuneCostUsd", type: "DOUBLE" },
  gapReduction: { name: "AttuneGapReduction", type: "DOUBLE" },
} as const;

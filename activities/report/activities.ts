import type { ControlActivities } from "../../contract/activities.ts";
import type { Deps } from "../deps.ts";
import { buildReport } from "./build.ts";
import { judgeNight } from "./judge-night.ts";
import { openNight } from "./open-night.ts";
import { publish } from "./publish.ts";

/** The stage `report` and the nights, as activities of the control queue. */
export function makeReportActivities(
  deps: Deps,
): Pick<ControlActivities, "buildReport" | "publish" | "openNight" | "judgeNight"> {
  return {
    buildReport: (input) => buildReport(deps, input),
    publish: (input) => publish(deps, input),
    openNight: (input) => openNight(deps, input),
    judgeNight: (input) => judgeNight(deps, input),
  };
}

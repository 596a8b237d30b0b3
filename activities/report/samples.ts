import type { Sample } from "../../domain/account.ts";
import { itemsOf, type RunData } from "./run-data.ts";

/** Items shown of each context and backbone: the first ones, so that nobody picked them. */
const shown = 2;

/** The same items as every arm answered them. */
export function samples(data: RunData): Sample[] {
  return data.config.experiment.backbones.flatMap(({ id: backbone }) =>
    data.config.contexts.flatMap(({ id: context }) => {
      const arms = Object.entries(itemsOf(data, backbone, context));
      const units = [...new Set(arms.flatMap(([, items]) => items.map((item) => item.unit)))].toSorted().slice(0, shown);
      return units.flatMap((unit): Sample[] => {
        const found = arms.flatMap(([arm, items]) => items.filter((item) => item.unit === unit).map((item) => ({ arm, item })));
        const first = found[0]?.item;
        if (first === undefined) return [];
        const turns = found.map(
          ({ arm, item }) => [arm, item.turns.map(({ user, reply, score, judged }) => ({ user, reply, score, judged }))] as const,
        );
        return [
          {
            backbone,
            context,
            unit,
            family: first.family,
            persona: first.persona,
            desired: first.desired,
            arms: Object.fromEntries(turns),
          },
        ];
      });
    }),
  );
}

/** The few drawings that the orders and the feed need: 16 × 16, in the colour of the text, and never alone in saying something. */
import { Icon } from "./shell/icons.tsx";

export const PencilIcon = () => (
  <Icon>
    <path d="m10.5 3 2.5 2.5L5.5 13H3v-2.5zM9 4.5 11.5 7" />
  </Icon>
);

export const BinIcon = () => (
  <Icon>
    <path d="M2.5 4.5h11M6 4V2.5h4V4M4 4.5l.6 9h6.8l.6-9M6.6 7v4M9.4 7v4" />
  </Icon>
);

export const SearchIcon = () => (
  <Icon>
    <circle cx="7" cy="7" r="4" />
    <path d="m10 10 3.5 3.5" />
  </Icon>
);

export const ClockIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="5.5" />
    <path d="M8 5v3.2l2 1.3" />
  </Icon>
);

export const ChevronIcon = () => (
  <Icon>
    <path d="m4.5 6.5 3.5 3.5 3.5-3.5" />
  </Icon>
);

export const SortIcon = ({ descending }: { readonly descending: boolean }) => (
  <Icon>
    <path d={descending ? "M8 3v10m-3.5-3.5L8 13l3.5-3.5" : "M8 13V3M4.5 6.5 8 3l3.5 3.5"} />
  </Icon>
);

export const ArrowIcon = () => (
  <Icon>
    <path d="M2.5 8h11M10 4.5 13.5 8 10 11.5" />
  </Icon>
);

export const EyeIcon = () => (
  <Icon>
    <path d="M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8Z" />
    <circle cx="8" cy="8" r="1.8" />
  </Icon>
);

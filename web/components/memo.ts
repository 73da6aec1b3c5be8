/** A component that renders again only when a prop is another: what keeps a table of 1,000 rows smooth. */
import { Component, h, type FunctionComponent } from "preact";

export function memo<P extends object>(render: FunctionComponent<P>) {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const keys = Object.keys(next) as (keyof P)[];
      return (
        keys.some((key) => next[key] !== this.props[key]) || keys.length !== Object.keys(this.props).length
      );
    }

    override render(props: P) {
      return h(render, props);
    }
  };
}

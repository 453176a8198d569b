using System;
using System.Collections.Generic;
using System.Threading;

namespace Switchyard.Host
{
    /// <summary>
    /// Threads for calls that take their time. A thread whose call timed out goes on until its method returns; the limit
    /// bounds how many there are.
    /// </summary>
    public sealed class WorkerThreads
    {
        const int StackBytes = 512 * 1024;
        readonly int limit;
        readonly Queue<Action> work = new Queue<Action>();
        int idle;
        int count;

        public WorkerThreads(int limit) { this.limit = limit; }

        /// <summary>False when every thread is busy and there may be no more.</summary>
        public bool Submit(Action action)
        {
            lock (work)
            {
                if (idle <= work.Count)
                {
                    if (count >= limit) return false;
                    count++;
                    new Thread(Run, StackBytes) { IsBackground = true }.Start();
                }
                work.Enqueue(action);
                Monitor.Pulse(work);
            }
            return true;
        }

        void Run()
        {
            while (true)
            {
                Action action;
                lock (work)
                {
                    idle++;
                    while (work.Count == 0) Monitor.Wait(work);
                    action = work.Dequeue();
                    idle--;
                }
                action();
            }
        }
    }

    /// <summary>
    /// Begins calls in the order in which they came: each has a short head start before the next one runs beside it, so quick
    /// ones run one after the other, as they would on a single thread.
    /// </summary>
    public sealed class OrderedStart
    {
        const int HeadStartMs = 2;

        sealed class Waiting
        {
            public Action Work;
            public Answer Outcome;
            public Action Refuse;
        }

        readonly WorkerThreads threads;
        readonly Queue<Waiting> waiting = new Queue<Waiting>();

        public OrderedStart(WorkerThreads threads)
        {
            this.threads = threads;
            new Thread(Run) { IsBackground = true }.Start();
        }

        /// <summary>The outcome settles when the work has ended; Refuse is called for want of threads.</summary>
        public void Submit(Action work, Answer outcome, Action refuse)
        {
            lock (waiting)
            {
                waiting.Enqueue(new Waiting { Work = work, Outcome = outcome, Refuse = refuse });
                Monitor.Pulse(waiting);
            }
        }

        void Run()
        {
            while (true)
            {
                Waiting next;
                lock (waiting)
                {
                    while (waiting.Count == 0) Monitor.Wait(waiting);
                    next = waiting.Dequeue();
                }
                var ended = new ManualResetEventSlim(false);
                next.Outcome.Then(ended.Set);
                if (!threads.Submit(next.Work)) next.Refuse();
                else ended.Wait(HeadStartMs);
            }
        }
    }
}
